"""Nothing is lost whatever dies: workers, batches that hang, the driver itself. On a real Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
import ray

from pipeline.engine import ray_slot
from pipeline.engine.base import Backlog, Lost
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.engine.ray_engine import RayEngine
from pipeline.engine.worker import Task
from pipeline.job import Job, Limits
from pipeline.manifest import shard_of, write_shard
from pipeline.storage import Store
from tests.command import dataset_files
from tests.fakes import Silent, items_of, job_of
from tests.raylets import title_of, wait_idle, workers_of


@pytest.fixture(scope="module")
def engine() -> Iterator[RayEngine]:
    engine = RayEngine(actors=2)
    yield engine
    engine.stop()


def run(
    engine: RayEngine, job: Job, folder: Path, count: int = 40, named: Mapping[str, str] | None = None
) -> tuple[Outcome, Silent]:
    watcher = Silent()
    outcome = annotate(items_of(count, **(named or {})), job, Store(str(folder)), engine, watcher)
    return outcome, watcher


def data(folder: Path) -> Path:
    (file,) = dataset_files(folder)
    return file


def rows(folder: Path) -> list[dict[str, object]]:
    return list(pq.read_table(data(folder)).to_pylist())


def test_ray_writes_the_bytes_the_inline_engine_writes(engine: RayEngine, tmp_path: Path) -> None:
    run(engine, job_of(), tmp_path / "ray", named={"n7": "bad"})
    annotate(items_of(40, n7="bad"), job_of(), Store(str(tmp_path / "inline")), InlineEngine(), Silent())
    assert data(tmp_path / "ray").read_bytes() == data(tmp_path / "inline").read_bytes()


def test_a_clip_that_kills_its_worker_costs_one_row(engine: RayEngine, tmp_path: Path) -> None:
    outcome, watcher = run(
        engine, job_of(peak={"die_on": "poison"}), tmp_path, named={"n13": "poison", "n14": "poison"}
    )
    failed = [r for r in rows(tmp_path) if r["status"] == "failed"]
    assert [r["id"] for r in failed] == ["poison-13", "poison-14"]
    assert "peak: worker_died: " in str(failed[0]["error"])
    assert "exit code 9" in str(failed[0]["error"])
    assert outcome.given_up == []
    assert {index for index, _, _ in watcher.lost_tasks} <= {0, 1, 2, 3}


def test_a_worker_that_dies_once_is_replaced_and_nothing_is_lost(engine: RayEngine, tmp_path: Path) -> None:
    job = job_of(peak={"die_once": str(tmp_path / "died")})
    outcome, watcher = run(engine, job, tmp_path / "run")
    assert watcher.lost_tasks
    assert outcome.joined.ok == 40


def test_a_shard_whose_worker_dies_whatever_the_clip_is_given_up_and_its_clips_have_rows(
    engine: RayEngine, tmp_path: Path
) -> None:
    named = {f"n{i}": "poison" for i in range(10, 20)}
    outcome, _ = run(engine, job_of(peak={"die_on": "poison"}, rank=False), tmp_path, named=named)
    assert [s.index for s in outcome.given_up] == [1]
    assert (tmp_path / outcome.shards[1].failure).exists()
    table = rows(tmp_path)
    assert len(table) == 40
    assert [r["status"] for r in table] == ["ok"] * 10 + ["failed"] * 10 + ["ok"] * 20
    assert "given_up" in str(table[10]["error"])


def test_a_batch_that_hangs_is_cut_off(engine: RayEngine, tmp_path: Path) -> None:
    limits = Limits(max_attempts=2, batch_s=2.0)
    job = job_of(peak={"hang_on": "stuck"}, rank=False, limits=limits)
    outcome, _ = run(engine, job, tmp_path, 20, {"n5": "stuck"})
    failed = [r for r in rows(tmp_path) if r["status"] == "failed"]
    assert [r["id"] for r in failed] == ["stuck-5"]
    assert "peak: hung: " in str(failed[0]["error"])
    assert outcome.given_up == []


def test_a_worker_that_is_frozen_is_missed_and_the_clip_it_froze_on_found(
    engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing inside the process can end it: neither it nor, at the second attempt, its child."""
    monkeypatch.setattr(ray_slot, "SIGN_S", 1.0)
    monkeypatch.setattr(ray_slot, "GRACE_S", 2.0)
    limits = Limits(max_attempts=2, batch_s=1.0, batch_s_per_s=0.0, load_s=15.0)
    job = job_of(peak={"freeze_on": "frost"}, rank=False, limits=limits)
    outcome, watcher = run(engine, job, tmp_path, 20, {"n5": "frost"})
    assert (0, "the worker gave no sign of life for longer than it may", False) in watcher.lost_tasks
    failed = [r for r in rows(tmp_path) if r["status"] == "failed"]
    assert [r["id"] for r in failed] == ["frost-5"]
    assert "peak: hung: " in str(failed[0]["error"])
    assert outcome.given_up == []


def test_a_given_up_shard_is_tried_again_by_the_next_run(engine: RayEngine, tmp_path: Path) -> None:
    named = {f"n{i}": "poison" for i in range(10)}
    job = job_of(peak={"die_on": "poison"}, rank=False)
    first, _ = run(engine, job, tmp_path / "run", 20, named)
    assert [s.index for s in first.given_up] == [0]
    healed = job_of(peak={"die_on": ""}, rank=False)
    second, _ = run(engine, healed, tmp_path / "run", 20, named)
    assert second.given_up == []
    assert second.joined.ok == 20
    assert not list((tmp_path / "run" / "failures").glob("*.json"))


def test_of_the_last_tasks_none_is_queued_behind_another(engine: RayEngine, tmp_path: Path) -> None:
    engine.start(job_of(), Store(str(tmp_path)))
    engine.follow({"cpu": Backlog(100, 100)})
    while engine.room("cpu") < 4:
        engine.wait(lambda services: None)
    engine.follow({"cpu": Backlog(4, 4)})
    assert engine.room("cpu") == 2


def test_of_two_tasks_of_a_dead_worker_the_first_is_blamed_whichever_is_seen_first(
    engine: RayEngine, tmp_path: Path
) -> None:
    store, job = Store(str(tmp_path)), job_of(peak={"die_on": "clip", "sleep_s": 1.0})
    engine.start(job, store)
    engine.follow({"cpu": Backlog(5, 5)})
    while engine.room("cpu") < 4:
        engine.wait(lambda services: None)
    for i in range(4):  # the first and the third go to one worker
        shard = shard_of(i, items_of(3))
        write_shard(store, shard, items_of(3))
        engine.submit("cpu", Task(shard, tuple(w.key for w in job.ways)))
    slot = engine._pools.slots[0]
    third = list(slot.tasks)[1]
    ray.wait([third])
    lost = [o for o in engine._landed(slot, third) if isinstance(o, Lost)]
    assert [(o.task.shard.index, o.blameless) for o in lost] == [(0, False), (2, True)]
    assert {o.reason for o in lost} == {"the worker died"}


def test_a_worker_that_died_while_it_was_idle_costs_no_shard_an_attempt(
    engine: RayEngine, tmp_path: Path
) -> None:
    job = job_of(rank=False, limits=Limits(max_attempts=1))
    run(engine, job, tmp_path, 20)
    slots = list(engine._pools.slots)
    for process in psutil.Process().children(recursive=True):
        if title_of(process).startswith("ray::Actor"):
            process.kill()
    outcome, watcher = run(engine, job, tmp_path, 60)
    assert not set(slots) & set(engine._pools.slots)
    assert watcher.lost_tasks
    assert outcome.given_up == []
    assert outcome.joined.ok == 60


DRIVER = """
import sys
from pipeline.engine import ray_slot
from pipeline.engine.base import Backlog, Lost
from pipeline.engine.flow import annotate
from pipeline.engine.ray_engine import RayEngine
from pipeline.storage import Store
from tests.fakes import Silent, items_of, job_of
engine = RayEngine(actors=2)
job = job_of(peak={"sleep_s": 0.1, "log": sys.argv[2]}, shard_size=4)
annotate(items_of(80), job, Store(sys.argv[1]), engine, Silent())
engine.stop()
"""


def drive(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", DRIVER, str(folder), str(log)]
    return subprocess.Popen(command, env=os.environ, preexec_fn=heed_interrupts)


def heed_interrupts() -> None:
    """What a shell starts in the background ignores SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_sidecars(folder: Path, count: int) -> None:
    while len(list(folder.glob("peak-*/*.parquet"))) < count:
        time.sleep(0.05)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a driver that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert drive(folder / "run", folder).wait() == 0
    return folder / "run"


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_after_the_driver_dies_the_same_command_computes_no_finished_sidecar_again(
    tmp_path: Path, undisturbed: Path, ending: signal.Signals
) -> None:
    folder, log = tmp_path / "run", tmp_path / "log"
    log.mkdir()
    driver = drive(folder, log)
    wait_for_sidecars(folder, 5)
    workers = workers_of(driver.pid)
    driver.send_signal(ending)
    driver.wait()
    wait_idle(workers)
    finished = {p: p.stat().st_mtime_ns for p in folder.glob("*@*/*.parquet")}
    assert len(finished) < 3 * 20

    assert drive(folder, log).wait() == 0
    assert all(p.stat().st_mtime_ns == mtime for p, mtime in finished.items())
    ours, theirs = pq.read_table(data(folder)), pq.read_table(data(undisturbed))
    assert ours.equals(theirs)
    assert data(folder).read_bytes() == data(undisturbed).read_bytes()
