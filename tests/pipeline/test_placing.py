"""A clip stays in the shard it was in, whatever becomes of the others."""

from __future__ import annotations

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
