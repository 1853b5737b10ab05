"""The dataset is complete or it has no index: whatever ends the join, and whatever was there before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import join as joining
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import RunError
from pipeline.join import INDEX, join
from pipeline.rundir import DATASET
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

    def move(self, path: str, to: str) -> None:
        self._step()
        super().move(path, to)

    def remove(self, path: str) -> None:
        self._step()
        super().remove(path)

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


def dataset(store: Store) -> dict[str, bytes]:
    return {name: store.read(name) for name in store.names(DATASET)}


def rows(store: Store) -> list[dict[str, object]]:
    names = sorted(n for n in store.names(DATASET) if n.endswith(".parquet"))
    return [row for n in names for row in pq.read_table(pa.BufferReader(store.read(n))).to_pylist()]


def test_a_join_that_dies_at_any_step_is_made_whole_by_the_next(url: str) -> None:
    store = Store(url)
    before = run(store, 20)
    outcome = run(store, 15)
    wanted = dataset(store)
    for steps in range(100):
        join(store, before.job, before.shards)
        mortal = Mortal(url)
        mortal.steps = steps
        try:
            join(mortal, outcome.job, outcome.shards)
        except Killed:
            found = dataset(store)
            if INDEX in found:
                for facts in json.loads(found[INDEX])["files"]:
                    assert hashlib.sha256(found[f"{DATASET}/{facts['name']}"]).hexdigest() == facts["sha256"]
            join(store, outcome.job, outcome.shards)
            assert dataset(store) == wanted
        else:
            break
    assert steps > 10
    assert dataset(store) == wanted


def test_a_source_that_shrinks_leaves_nothing_behind_in_the_dataset(url: str) -> None:
    store = Store(url)
    run(store, 20)
    run(store, 7)
    assert [row["id"] for row in rows(store)] == [item.id for item in items_of(7)]
    assert len([n for n in store.names(DATASET) if n.endswith(".parquet")]) == 2


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
