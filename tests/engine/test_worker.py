"""What a worker holds: what its annotators loaded is looked through for garbage once, from job to job."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import manifest
from pipeline.engine.worker import Task, Worker
from pipeline.job import Job, make_job
from pipeline.storage import Store
from pipeline.way import WaySpec
from tests.fakes import FakeModel, FakePeak, FakeSound, items_of

SPECS = [
    WaySpec("sound", "fake", FakeSound),
    WaySpec("peak", "fake", FakePeak),
    WaySpec("weight", "fake", FakeModel),
]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    yield Worker(make_job(SPECS), Store(str(tmp_path / "run")))
    gc.unfreeze()


def run(worker: Worker, job: Job, *numbers: int) -> None:
    for number in numbers:
        items = items_of(2)
        shard = manifest.shard_of(number, items)
        manifest.write_shard(worker.store, shard, items)
        worker.run(Task(shard, tuple(w.key for w in job.ways)))


def test_what_stays_loaded_from_job_to_job_is_looked_through_no_more(worker: Worker) -> None:
    run(worker, worker.job, 0, 1)
    assert gc.get_freeze_count() > 0
    worker.take(make_job(SPECS))
    assert gc.get_freeze_count() > 0


def test_what_another_job_does_not_want_is_garbage_again_and_the_rest_is_not(worker: Worker) -> None:
    run(worker, worker.job, 0, 1)
    fewer = make_job(SPECS[:2])
    worker.take(fewer)
    assert gc.get_freeze_count() == 0
    run(worker, fewer, 2)
    assert gc.get_freeze_count() > 0
