"""No answer is asked for twice, whatever dies between the question and the sidecar."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from annotators._chat.errors import EndpointError
from jobs.progress import RichWatcher
from pipeline.annotator import Away
from pipeline.engine import driver, ray_slot
from pipeline.engine.flow import annotate
from pipeline.engine.inline import InlineEngine
from pipeline.engine.plan import Plan
from pipeline.engine.ray_engine import RayEngine
from pipeline.engine.watcher import Watchers
from pipeline.engine.worker import Task, Worker
from pipeline.errors import RunError
from pipeline.job import Job, Limits, make_job
from pipeline.storage import Store
from pipeline.way import WaySpec
from tests.command import dataset, sidecars
from tests.endpoint.corpus import items_of, job_of, llm_pool
from tests.endpoint.fake import fake
from tests.fake_asking import FakeAsking
from tests.fakes import FakeSound, Silent
from tests.fakes import items_of as fake_items
from tests.raylets import wait_idle, workers_of

ROOT = Path(__file__).parents[2]
PROMPT = ROOT / "prompts" / "rewriter" / "caption.en.md"


@pytest.fixture(scope="module")
def engine() -> Iterator[RayEngine]:
    engine = RayEngine(actors=2)
    yield engine
    engine.stop()


def asking(log: Path, limits: Limits | None = None, **options: object) -> Job:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("said", "fake", FakeAsking, {"log": str(log), **options}),
    ]
    return make_job(specs, shard_size=10, limits=limits or Limits())


def journals(run: Path) -> list[Path]:
    return list(run.glob("*@*/*.answers"))


def test_an_answer_that_came_before_the_run_ended_is_not_asked_for_again(tmp_path: Path) -> None:
    log, store = tmp_path / "log", Store(str(tmp_path / "run"))
    with pytest.raises(RunError, match="nobody is there"):
        annotate(fake_items(20), asking(log, quit_on="clip-15"), store, InlineEngine(), Silent())
    assert len(journals(tmp_path / "run")) == 1
    outcome = annotate(fake_items(20), asking(log), store, InlineEngine(), Silent())
    assert outcome.joined.ok == 20
    assert sorted(log.read_text().split()) == sorted(f"clip-{n}" for n in range(20))
    assert journals(tmp_path / "run") == []


def test_a_clip_on_which_it_raises_costs_its_row_and_no_second_question(tmp_path: Path) -> None:
    log = tmp_path / "log"
    annotate(
        fake_items(20), asking(log, raise_on="clip-7"), Store(str(tmp_path / "run")), InlineEngine(), Silent()
    )
    failed = [row for row in dataset(tmp_path / "run") if row["status"] == "failed"]
    assert [row["id"] for row in failed] == ["clip-7"]
    assert len(log.read_text().split()) == 20


def test_a_shard_that_a_dead_drivers_worker_finished_after_the_plan_is_not_asked_again(
    tmp_path: Path,
) -> None:
    log, store = tmp_path / "log", Store(str(tmp_path / "run"))
    job = asking(log, raise_on="clip-7")

    class Late(InlineEngine):
        def submit(self, pool: str, task: Task) -> None:
            Worker(job, store).run(task)
            super().submit(pool, task)

    annotate(fake_items(20), job, store, Late(), Silent())
    failed = [row["id"] for row in dataset(tmp_path / "run") if row["status"] == "failed"]
    assert failed == ["clip-7"]
    assert sorted(log.read_text().split()) == sorted(f"clip-{n}" for n in range(20))


@pytest.mark.parametrize("vice", ["die_on", "hang_on"])
def test_an_answer_that_kills_its_worker_costs_one_row_and_no_second_question(
    engine: RayEngine, tmp_path: Path, vice: str
) -> None:
    log, limits = tmp_path / "log", Limits(max_attempts=2, batch_s=2.0, batch_s_per_s=0.0)
    job = asking(log, limits, **{vice: "clip-13"})
    annotate(fake_items(20), job, Store(str(tmp_path / "run")), engine, Silent())
    rows = dataset(tmp_path / "run")
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["id"] == "clip-13"
    assert ("hung" if vice == "hang_on" else "worker_died") in failed["error"]
    assert sorted(log.read_text().split()) == sorted(f"clip-{n}" for n in range(20))
    assert journals(tmp_path / "run") == []


def test_a_service_that_is_slow_outlives_the_deadline_as_long_as_somebody_listens(
    engine: RayEngine, tmp_path: Path
) -> None:
    limits = Limits(batch_s=1.5, batch_s_per_s=0.0)
    watcher = Silent()
    job = asking(tmp_path / "log", limits, wait_s=0.4)
    outcome = annotate(fake_items(10), job, Store(str(tmp_path / "run")), engine, watcher)
    assert (outcome.joined.ok, watcher.lost_tasks) == (10, [])


def test_who_watches_the_driver_is_told_of_a_service_that_does_not_answer_and_when_it_does_again(
    engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_slot, "SIGN_S", 0.2)
    monkeypatch.setattr(driver, "SAY_S", 0.0)
    gone = tmp_path / "gone"
    gone.touch()
    told: list[list[Away]] = []

    class Told(Silent):
        def away(self, services: Sequence[Away]) -> None:
            told.append(list(services))
            if sum(one.clips for one in services) == 20:
                gone.unlink(missing_ok=True)

    job = asking(tmp_path / "log", gone=str(gone))
    said = io.StringIO()
    watcher = Watchers([Told(), RichWatcher(Console(file=said, width=200))])
    assert annotate(fake_items(20), job, Store(str(tmp_path / "run")), engine, watcher).joined.ok == 20
    both = [Away("http://nobody", "connection refused", 1.5e9, 20)]
    assert told[told.index(both) + 1 :][-1:] == [[]]
    lines = said.getvalue().splitlines()
    sentence = (
        "http://nobody does not answer since 2017-07-14T02:40:00+00:00 (connection refused): 20 clips wait"
    )
    assert any(line.startswith(sentence) for line in lines)
    assert "http://nobody answers again." in lines


def test_the_inline_engine_tells_of_an_endpoint_that_is_gone_too_and_what_was_waited_is_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("annotators._chat.chat.AWAY_S", 0.0)
    monkeypatch.setattr("annotators._chat.loop.BEAT_S", 0.1)
    told: list[list[str]] = []
    with fake(tmp_path) as one:

        class Told(Silent):
            def begin(self, title: str, plan: Plan) -> None:
                one.kill()

            def away(self, services: Sequence[Away]) -> None:
                told.append([service.service for service in services])
                if services:
                    one.start()

        job, started = job_of({"endpoint": one.url}), time.perf_counter()
        outcome = annotate(items_of(3), job, Store(str(tmp_path / "run")), InlineEngine(), Told())
        elapsed_s = time.perf_counter() - started
        assert told == [[f"{one.url}/v1"], []]
    (asked,) = [t for phase in outcome.phases for key, t in phase.tallies.items() if "caption" in key]
    assert asked.waited_s > 0
    assert asked.compute_s > 0
    assert asked.compute_s + asked.waited_s < elapsed_s
    assert capsys.readouterr().err == ""


def test_an_error_of_the_person_ends_the_run_from_the_last_attempt_too(
    engine: RayEngine, tmp_path: Path
) -> None:
    job = asking(tmp_path / "log", Limits(max_attempts=2), quit_on="clip-15", die_on="clip-5")
    with pytest.raises(RunError, match="nobody is there"):
        annotate(fake_items(20), job, Store(str(tmp_path / "run")), engine, Silent())


DRIVER = """
import json, sys
from annotators._chat.errors import EndpointError
from pipeline.engine.flow import annotate
from pipeline.engine.ray_engine import RayEngine
from pipeline.storage import Store
from tests.endpoint.corpus import items_of, job_of, llm_pool
from tests.fakes import Silent
engine = RayEngine(actors=2)
job = job_of(json.loads(sys.argv[2]), shard_size=25, pools=llm_pool(2))
annotate(items_of(200), job, Store(sys.argv[1]), engine, Silent())
engine.stop()
"""


def drive(run: Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", DRIVER, str(run), json.dumps(options)]
    return subprocess.Popen(command, env=os.environ, cwd=ROOT)


def test_after_the_driver_is_killed_every_clip_has_one_caption_and_hardly_any_was_asked_for_twice(
    tmp_path: Path,
) -> None:
    with fake(tmp_path, latency_s=0.05) as one:
        options: dict[str, Any] = {"endpoint": one.url, "in_flight": 2}
        driver = drive(tmp_path / "run", **options)
        while len(one.seen) < 100:
            time.sleep(0.02)
        workers = workers_of(driver.pid)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        wait_idle(workers)
        asked = len(one.seen)
        assert asked < 200
        assert drive(tmp_path / "run", **options).wait() == 0
        rows = dataset(tmp_path / "run")
        assert [row["id"] for row in rows] == [f"clip-{n}" for n in range(200)]
        assert all(row["description"] and row["instruction"] for row in rows)
        in_flight = 2 * 2
        assert one.asked_again() <= in_flight
        assert len({seen.clip for seen in one.seen}) == 200
        assert journals(tmp_path / "run") == []


def test_an_endpoint_that_dies_in_mid_run_and_comes_back_costs_no_caption(
    engine: RayEngine, tmp_path: Path
) -> None:
    with fake(tmp_path, latency_s=0.02, die_after=90) as one:

        def revive() -> None:
            one.wait()
            time.sleep(1.0)
            one.start()

        helper = threading.Thread(target=revive)
        helper.start()
        job = job_of({"endpoint": one.url, "in_flight": 8}, shard_size=25, pools=llm_pool(2))
        outcome = annotate(items_of(200), job, Store(str(tmp_path / "run")), engine, Silent())
        helper.join()
        assert outcome.joined.ok == 200
        assert one.asked_again() == 0
        assert {row["status"] for row in dataset(tmp_path / "run")} == {"ok"}


def test_another_prompt_writes_captions_again_and_nothing_else(tmp_path: Path) -> None:
    prompt, run = tmp_path / "mine.en.md", tmp_path / "run"
    prompt.write_bytes(PROMPT.read_bytes())
    with fake(tmp_path) as one:
        options = {"endpoint": one.url, "language": "en", "prompt": str(prompt)}
        for _ in range(2):  # the same prompt: nothing at all
            annotate(items_of(40), job_of(options), Store(str(run)), InlineEngine(), Silent())
        before = sidecars(run)
        prompt.write_text(PROMPT.read_text("utf-8").replace("fluent sentences", "flowing sentences"), "utf-8")
        annotate(items_of(40), job_of(options), Store(str(run)), InlineEngine(), Silent())
        new = {name for name, written in sidecars(run).items() if before.get(name) != written}
        assert {name.partition("-")[0] for name in new} == {"caption"}
        assert len(new) == 2


def test_the_key_is_in_no_file_of_the_run_and_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = "sk-never-to-be-seen"
    monkeypatch.setenv("MY_KEY", key)
    caplog.set_level(logging.DEBUG)
    run = tmp_path / "run"
    with fake(tmp_path, key=key, failing=3, status=500) as one:
        job = job_of({"endpoint": one.url, "api_key_env": "MY_KEY"})
        annotate(items_of(20), job, Store(str(run)), InlineEngine(), Silent())
        one.follow(key="another")
        later = job_of({"endpoint": one.url, "model": "base", "api_key_env": "MY_KEY", "wait_s": 0.0})
        with pytest.raises(EndpointError, match="HTTP 401") as caught:
            annotate(items_of(20), later, Store(str(run)), InlineEngine(), Silent())
    files = [file for file in run.rglob("*") if file.is_file()]
    assert files
    assert all(key.encode() not in file.read_bytes() for file in files)
    assert key not in caplog.text + str(caught.value)
