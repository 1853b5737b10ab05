"""There is one whole dataset or none: whatever ends the join, and whatever was there before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import join as joining
from pipeline import sidecar
from pipeline.card import CARD
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import ClipError, RunError
from pipeline.join import INDEX, join, outdate, root_cause
from pipeline.rundir import DATASET
from pipeline.side_by_side import complaints
from pipeline.source import open_source
from pipeline.storage import Store
from tests.fakes import Silent, items_of, job_of


class Killed(BaseException):
    """As kill -9 would: nothing catches it."""


class Mortal(Store):
    """A store whose process dies before its step number `steps`."""

    steps = 10_000

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        self._step()
        super().write(path, data)

    def remove_files(self, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            self._step()
            super().remove_files([path])

    def rename(self, path: str, to: str) -> None:
        self._step()
        super().rename(path, to)

    def _step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Killed


@pytest.fixture(params=["local", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path}/run"


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "FILE_BYTES", 1)


def run(store: Store, count: int) -> Outcome:
    return annotate(items_of(count), job_of(shard_size=5), store, InlineEngine(), Silent())


def current(store: Store, index: bytes) -> dict[str, bytes]:
    """The files that an index names, which must be whole."""
    files = {f["name"]: store.read(f"{DATASET}/{f['name']}") for f in json.loads(index)["files"]}
    for facts in json.loads(index)["files"]:
        assert hashlib.sha256(files[facts["name"]]).hexdigest() == facts["sha256"]
    return files


def rows(store: Store) -> list[dict[str, object]]:
    files = current(store, store.read(INDEX))
    return [row for data in files.values() for row in pq.read_table(pa.BufferReader(data)).to_pylist()]


def card_files(store: Store) -> set[str]:
    """The files that the card names, as `datasets` finds them."""
    (pattern,) = re.findall(r"path: (data-[0-9a-f]+/train-)\*\.parquet", store.read(CARD).decode())
    start = len(DATASET) + 1
    return {name[start:] for name in store.names(DATASET) if name[start:].startswith(pattern)}


def test_a_join_that_dies_at_any_step_leaves_one_whole_dataset_and_the_next_makes_the_other(url: str) -> None:
    store = Store(url)
    oldest = run(store, 10)
    before = run(store, 20)
    old = store.read(INDEX)
    outcome = run(store, 15)
    new = store.read(INDEX)
    wholes = [set(current(store, index)) for index in (old, new)]
    for steps in range(100):
        store.remove(DATASET)
        join(store, oldest.job, oldest.shards)
        join(store, before.job, before.shards)
        mortal = Mortal(url)
        mortal.steps = steps
        try:
            join(mortal, outcome.job, outcome.shards)
        except Killed:
            assert store.read(INDEX) in (old, new)
            current(store, store.read(INDEX))
            assert card_files(store) in wholes
            join(store, outcome.job, outcome.shards)
        else:
            break
        assert store.read(INDEX) == new
        assert card_files(store) == wholes[1]
    assert steps > 6


def test_who_reads_while_the_dataset_is_replaced_reads_on_until_the_next_join(url: str) -> None:
    store = Store(url)
    run(store, 20)
    first = store.read(INDEX)
    run(store, 15)
    current(store, first)
    run(store, 10)
    assert store.names(DATASET).isdisjoint(f"{DATASET}/{f['name']}" for f in json.loads(first)["files"])


def test_rows_computed_again_under_the_same_names_leave_the_dataset_before_whole(
    url: str, tmp_path: Path
) -> None:
    store, other = Store(url), Store(str(tmp_path / "other"))
    outcome, never_failed = run(store, 20), run(other, 20)
    fine, way = store.read(INDEX), outcome.job.of("peak")[0]
    failed = [ClipError("oom", "no room")] * outcome.shards[1].clips
    path = outcome.shards[1].sidecar(way.key)
    before = store.read(path)
    ids = [f"clip-{i}" for i in range(5, 10)]
    sidecar.write(store, path, sidecar.to_table(way.row, ids, failed), {})
    outdate(store)
    join(store, outcome.job, outcome.shards)
    with_failures = store.read(INDEX)
    assert set(current(store, fine)).isdisjoint(current(store, with_failures))
    store.write(path, before)
    outdate(store)
    assert join(store, outcome.job, outcome.shards).files == never_failed.joined.files
    current(store, with_failures)
    assert store.read(INDEX) == fine


def test_the_library_its_users_use_sees_one_generation(tmp_path: Path) -> None:
    import datasets

    store = Store(str(tmp_path / "run"))
    for count in (20, 15):
        run(store, count)
        loaded = datasets.load_dataset(
            str(tmp_path / "run" / "dataset"), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert loaded["id"] == [item.id for item in items_of(count)]
    assert len({name.split("/")[1] for name in store.names(DATASET)}) == 2 + 2


def test_a_dataset_is_a_source_of_its_present_generation_alone(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    run(store, 20)
    run(store, 15)
    assert len(list(open_source(str(tmp_path / DATASET)))) == 15


def test_a_source_that_shrinks_leaves_nothing_behind_in_the_dataset(url: str) -> None:
    store = Store(url)
    run(store, 20)
    run(store, 7)
    assert [row["id"] for row in rows(store)] == [item.id for item in items_of(7)]
    assert len(json.loads(store.read(INDEX))["files"]) == 2


def test_a_dataset_made_from_the_same_sidecars_is_left_alone(url: str) -> None:
    store = Store(url)
    outcome = run(store, 10)
    mortal = Mortal(url)
    mortal.steps = 0
    assert join(mortal, outcome.job, outcome.shards) == outcome.joined


def test_another_reason_for_giving_up_reaches_the_dataset(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    outcome = run(store, 10)
    shard = outcome.shards[1]
    store.remove(shard.sidecar(outcome.job.of("peak")[0].key))
    for reason in ("first", "second"):
        store.write(shard.failure, json.dumps({"reason": reason}).encode())
        join(store, outcome.job, outcome.shards)
        assert [row["error"] for row in rows(store)] == [None] * 5 + [f"peak: given_up: {reason}"] * 5


def test_what_is_said_of_a_clip_comes_apart_where_it_was_joined() -> None:
    said = ["mood_2: http_503: it was away; see: the log", "peak: needs_sound: there is none"]
    assert complaints("; ".join(said)) == said
    assert root_cause("; ".join(said)) == said[0]


def test_a_damaged_sidecar_is_named(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    outcome = run(store, 10)
    path = outcome.shards[0].sidecar(outcome.job.of("peak")[0].key)
    store.write(path, store.read(path)[:-20])
    store.remove(INDEX)
    with pytest.raises(RunError, match=r"peak-fake.*is damaged .*: remove it and run again"):
        join(store, outcome.job, outcome.shards)


def test_the_card_is_one_table_whatever_a_model_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.annotator import Model
    from tests.fakes import FakePeak

    odd = (Model("a|b\n# c", "1", "MIT"),)
    monkeypatch.setattr(FakePeak, "models", classmethod(lambda cls, options: odd))
    run(Store(str(tmp_path)), 5)
    card = (tmp_path / DATASET / "README.md").read_text()
    assert "| peak | fake |" in card
    assert r"a\|b # c (1)" in card
