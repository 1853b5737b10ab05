"""A clip stays in the shard it was in, whatever becomes of the others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import layout, placing
from pipeline.clip import AudioRef
from pipeline.layout import Layout
from pipeline.manifest import read_shard
from pipeline.packs import is_pack
from pipeline.placing import place
from pipeline.planning import plan_source
from pipeline.rundir import MANIFEST, SOURCE
from pipeline.source.base import Item
from pipeline.storage import Store

SIZE = 4
sources = st.dictionaries(st.integers(0, 30), st.integers(0, 2), max_size=30)
"""A version of each clip that is there, in any order."""


def items_of(source: dict[int, int]) -> list[Item]:
    return [Item(f"clip-{n}", AudioRef(f"{n}.wav", version=str(v))) for n, v in source.items()]


def clips(store: Store, found: Layout) -> dict[int, list[Item]]:
    return {shard.index: read_shard(store, shard) for shard in found.shards}


@given(sources, sources, st.booleans())
def test_every_clip_is_in_one_shard_and_stays_there(
    first: dict[int, int], second: dict[int, int], small: bool
) -> None:
    store = Store("memory://placing")
    placing.AT_ONCE = 3 if small else 2000
    old = place(store, items_of(first), SIZE, Layout())
    new = place(store, items_of(second), SIZE, old)
    before, after = clips(store, old), clips(store, new)
    assert sorted(item.id for group in after.values() for item in group) == sorted(
        item.id for item in items_of(second)
    )
    assert {i for group in after.values() for i in group} == set(items_of(second))
    was = {item.id: index for index, group in before.items() for item in group}
    for index, group in after.items():
        known = [item for item in group if item.id in was]
        assert all(was[item.id] == index for item in known)
        assert known in ([], group)
        order = [item.id for item in before.get(index, [])]
        assert [item.id for item in known] == [name for name in order if name in {i.id for i in known}]
    changed = {f"clip-{n}" for n in first if second.get(n) != first[n]}
    for shard in old.shards:
        touched = any(item.id in changed for item in before[shard.index])
        assert (shard in new.shards) == (not touched)


@given(sources)
def test_the_same_clips_in_any_order_are_the_same_shards(source: dict[int, int]) -> None:
    store = Store("memory://placing")
    old = place(store, items_of(source), SIZE, Layout())
    assert place(store, reversed(items_of(source)), SIZE, old) is old


@given(sources)
def test_a_layout_is_read_back(source: dict[int, int]) -> None:
    store = Store("memory://placing")
    found = place(store, items_of(source), SIZE, Layout())
    layout.write(store, SOURCE, found)
    again = layout.read(store, SOURCE)
    assert again.shards == found.shards
    for name in ("ids", "lines", "longest_s"):
        assert np.array_equal(getattr(again, name), getattr(found, name))


def test_a_run_without_a_plan_has_no_shards(tmp_path: Path) -> None:
    assert layout.read(Store(str(tmp_path)), SOURCE).shards == []
    assert layout.read_index(Store(str(tmp_path))) == []


def test_planning_again_writes_nothing_and_asks_for_little(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    source = items_of(dict.fromkeys(range(25), 0))
    first = plan_source(store, source, 10)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")}
    assert plan_source(store, source, 10) == first
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.parquet")} == before


def test_what_would_be_planned_is_told_without_writing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    source = items_of(dict.fromkeys(range(25), 0))
    told = plan_source(store, source, 10, dry=True)
    assert not list(tmp_path.iterdir())
    assert plan_source(store, source, 10) == told


def test_a_recording_is_cut_where_it_is_longer_than_it_may_be(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    short, long, unknown, piece = items_of(dict.fromkeys(range(4), 0))
    source = [
        replace(short, recording_s=5.0),
        replace(long, recording_s=50.0),
        unknown,
        replace(piece, audio=replace(piece.audio, offset_s=3.0)),
    ]
    for longest_s, uncut in ((30.0, [False, True, True, False]), (60.0, [False, False, True, False])):
        assert [p.uncut for p in plan_source(store, source, 1, longest_s)] == uncut
    assert not any(p.uncut for p in plan_source(store, source, 1))


def test_a_thousand_shards_are_one_file_and_fewer_are_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "PACK_SHARDS", 10)
    store = Store(str(tmp_path))
    source = items_of(dict.fromkeys(range(25), 0))
    planned = plan_source(store, source, 1)
    assert [read_shard(store, p.shard) for p in planned] == [[item] for item in source]
    files = store.files(MANIFEST)
    assert sum(map(is_pack, files)) == 2
    assert len(files) == 2 + 5 + 1
    assert {p.shard.manifest for p in planned} == store.names(MANIFEST) - {SOURCE}


@given(sources, st.lists(sources, max_size=4))
def test_what_went_away_is_where_it_was_when_it_comes_back(
    first: dict[int, int], between: list[dict[int, int]]
) -> None:
    store = Store("memory://coming-back")
    store.remove("")
    whole = plan_source(store, items_of(first), SIZE)
    for some in between:
        less = {n: version for n, version in first.items() if n in some}
        planned = plan_source(store, items_of(less), SIZE)
        assert {item for p in planned for item in read_shard(store, p.shard)} == set(items_of(less))
        assert {p.shard.index for p in planned} <= {p.shard.index for p in whole}
        assert plan_source(store, items_of(less), SIZE) == planned
    assert plan_source(store, items_of(first), SIZE) == whole


@given(sources, sources, sources)
def test_clips_that_come_back_changed_beside_new_ones_are_where_they_were(
    first: dict[int, int], second: dict[int, int], third: dict[int, int]
) -> None:
    store = Store("memory://changed-back")
    store.remove("")
    where: dict[str, int] = {}
    for source in (first, second, third):
        planned = plan_source(store, items_of(source), SIZE)
        found = {item: p.shard.index for p in planned for item in read_shard(store, p.shard)}
        assert sorted(item.id for item in found) == sorted(item.id for item in items_of(source))
        assert set(found) == set(items_of(source))
        assert all(where.setdefault(item.id, index) == index for item, index in found.items())
        assert [p.shard.index for p in planned] == sorted({p.shard.index for p in planned})


def test_an_empty_source_changes_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert plan_source(store, [], SIZE) == []
    assert not list(tmp_path.iterdir())
    whole = plan_source(store, items_of(dict.fromkeys(range(25), 0)), SIZE)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.parquet")}
    assert plan_source(store, [], SIZE) == []
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.parquet")} == before
    assert plan_source(store, items_of(dict.fromkeys(range(25), 0)), SIZE) == whole


def test_clips_whose_files_were_removed_come_back_as_new_ones(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    source = items_of(dict.fromkeys(range(25), 0))
    whole = plan_source(store, source, SIZE)
    part = plan_source(store, source[:6], SIZE)
    store.remove_files([p.shard.manifest for p in whole if p not in part])
    back = plan_source(store, source, SIZE)
    assert back[:2] == part
    assert [item for p in back for item in read_shard(store, p.shard)] == source
    assert not layout.read(store, layout.gone(SOURCE)).shards


def test_a_kill_between_what_is_gone_and_the_plan_loses_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    source = items_of(dict.fromkeys(range(25), 0))
    whole = plan_source(store, source, SIZE)
    write = layout.write
    for some in (source[:6], source[:3], source):
        for path in (SOURCE, layout.gone(SOURCE)):

            def killed(at: Store, to: str, found: Layout, never: str = path) -> None:
                if to == never:
                    raise KeyboardInterrupt
                write(at, to, found)

            monkeypatch.setattr(layout, "write", killed)
            with suppress(KeyboardInterrupt):
                plan_source(store, some, SIZE)
        monkeypatch.setattr(layout, "write", write)
        plan_source(store, some, SIZE)
    assert plan_source(store, source, SIZE) == whole
