"""The last attempt: whatever its processes do, a clip costs a row, and what is no clip's fault is said."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline import again, manifest, sidecar
from pipeline.clip import Absent
from pipeline.engine import alone
from pipeline.engine.worker import Task
from pipeline.errors import LoadError, ShardError
from pipeline.job import Job, Limits, make_job
from pipeline.rundir import Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import WaySpec
from tests.fakes import FakeModel, FakePeak, FakeSound, Peak, Weight, items_of


def job_of(*, peak: Mapping[str, object] | None = None, load_s: float = 60.0, **model: object) -> Job:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak, peak or {}),
        WaySpec("weight", "fake", FakeModel, model),
    ]
    return make_job(specs, limits=Limits(batch_s=60.0, load_s=load_s))


def attempt(job: Job, items: list[Item], folder: Path) -> tuple[Store, Shard]:
    store = Store(str(folder / "run"))
    shard = manifest.shard_of(0, items)
    manifest.write_shard(store, shard, items)
    alone.run_alone(job, store, Task(shard, tuple(w.key for w in job.ways), alone=True))
    return store, shard


def test_a_clip_that_ends_its_process_costs_one_row_of_one_annotator(tmp_path: Path) -> None:
    job = job_of(die_on="poison")
    store, shard = attempt(job, items_of(4, n2="poison"), tmp_path)
    _, peak, model = job.ways
    assert all(isinstance(r, Peak) for r in sidecar.read_rows(store, shard.sidecar(peak.key), Peak))
    weights = sidecar.read_rows(store, shard.sidecar(model.key), Weight)
    assert [isinstance(w, Weight) for w in weights] == [True, True, False, True]
    assert weights[2] == Absent(
        "failed", "worker_died: annotating this clip ended the process with exit code 9"
    )


def test_a_poisonous_clip_without_what_it_is_annotated_from_kills_nobody(tmp_path: Path) -> None:
    job = job_of(peak={"die_on": "bad"})
    store, shard = attempt(job, items_of(2, n1="bad"), tmp_path)
    found = sidecar.read_rows(store, shard.sidecar(job.ways[1].key), Peak)[1]
    assert found == Absent("failed", "needs_sound: sound failed on this clip")


def test_a_process_that_leaves_its_parent_waiting_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "GOODBYE_S", 0.2)
    job = job_of(leave_on="poison")
    store, shard = attempt(job, items_of(2, n0="poison"), tmp_path)
    weights = sidecar.read_rows(store, shard.sidecar(job.ways[2].key), Weight)
    assert [isinstance(w, Weight) for w in weights] == [False, True]


@pytest.mark.parametrize(
    ("load", "load_s", "error", "reason"),
    [
        ("raise", 60.0, LoadError, "weight=fake cannot be loaded: FileNotFoundError: there is no model.bin"),
        ("die", 60.0, ShardError, "loading the annotators ended the process with exit code 7"),
        ("hang", 6.0, ShardError, "loading the annotators did not end before its deadline"),
    ],
)
def test_what_cannot_be_loaded_blames_no_clip(
    tmp_path: Path, load: str, load_s: float, error: type[ShardError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        attempt(job_of(load=load, load_s=load_s), items_of(3), tmp_path)


@pytest.mark.parametrize(
    ("script", "reason"), [("exit 3", "with exit code 3"), ("exec sleep 60", "did not begin within 1 s")]
)
def test_a_process_that_does_not_start_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ShardError, match=reason):
        attempt(job_of(load_s=1.0), items_of(500), tmp_path)


def test_rows_that_stand_are_not_computed_again_in_the_last_attempt_either(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    job = job_of(peak={"log": str(log)})
    store, shard = attempt(job, items_of(3), tmp_path)
    sound, peak, weight = (way.key for way in job.ways)
    before = {key: store.read(shard.sidecar(key)) for key in (sound, peak, weight)}
    for key in (peak, weight):
        assert again.mark(store, shard, shard.sidecar(key), key, {"clip-1"}) == 1
        store.remove(shard.sidecar(key))
    for note in log.iterdir():
        note.unlink()
    alone.run_alone(job, store, Task(shard, (peak, weight), alone=True, again=(peak, weight)))
    assert {key: store.read(shard.sidecar(key)) for key in before} == before
    assert [note.name.split("-")[:3] for note in log.iterdir()] == [["peak", "clip", "1"]]
    assert not again.marked(store)


@pytest.mark.parametrize(("load", "load_s"), [("die", 60.0), ("hang", 6.0)])
def test_an_optional_annotator_that_a_process_dies_of_as_it_loads_it_leaves_nulls(
    tmp_path: Path, load: str, load_s: float
) -> None:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak),
        WaySpec("weight", "fake", FakeModel, {"load": load}, optional=True),
    ]
    job = make_job(specs, limits=Limits(batch_s=60.0, load_s=load_s))
    store, shard = attempt(job, items_of(3), tmp_path)
    _, peak, weight = job.ways
    assert all(isinstance(row, Peak) for row in sidecar.read_rows(store, shard.sidecar(peak.key), Peak))
    found = sidecar.read_rows(store, shard.sidecar(weight.key), Weight)
    assert [isinstance(row, Absent) for row in found] == [True] * 3
    assert str(found[0]).count("unloadable: weight-fake cannot be loaded: loading the annotators") == 1


def test_an_optional_annotator_that_every_process_dies_of_costs_its_own_rows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "MAX_DEATHS", 2)
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak),
        WaySpec("weight", "fake", FakeModel, {"die_on": "poison"}, optional=True),
    ]
    job = make_job(specs, limits=Limits(batch_s=60.0, load_s=60.0))
    store, shard = attempt(job, items_of(4, **{f"n{i}": "poison" for i in range(4)}), tmp_path)
    _, peak, weight = job.ways
    assert all(isinstance(row, Peak) for row in sidecar.read_rows(store, shard.sidecar(peak.key), Peak))
    weights = sidecar.read_rows(store, shard.sidecar(weight.key), Weight)
    assert {row.error.partition(":")[0] for row in weights if isinstance(row, Absent)} == {"worker_died"}
    assert len(weights) == 4
