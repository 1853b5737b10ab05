"""A job that asks for servers has them while it works, where the GPUs are, and not longer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import ray

from jobs.jobfile import build_job, read_file, serve_of
from jobs.serving import kept
from jobs.serving.asked import identified
from jobs.serving.engine import server_count, with_endpoints
from jobs.serving.fleet import LocalFleet, RayFleet
from jobs.serving.server import healthy
from jobs.serving.settings import read_serve
from pipeline.errors import OptionError, RunError, UsageError
from pipeline.pool import Pool
from tests.command import Ended, dataset, example, sidecars, speechcraft, write_manifest
from tests.jobs.serving import fakes
from tests.raylets import title_of
from tests.tiny import llama

CLIPS = ("brother", "red-book", "meeting", "forecast")
ASKS = "tests.jobs.serving.fakes"


@pytest.fixture(autouse=True)
def _of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SPEECHCRAFT_VLLM_PYTHON", str(fakes.environment(tmp_path / "environment")))


def job_file(folder: Path, serve: object, **ask: object) -> Path:
    file = folder / "job.yaml"
    ways = {"sound": "decode", "answer": {"use": ASKS, **ask}}
    file.write_text(json.dumps({"annotators": ways, "serve": serve}))
    return file


def annotate(folder: Path, job: Path, *more: object) -> Ended:
    source = write_manifest(folder / "clips.jsonl", *map(example, CLIPS))
    return speechcraft("annotate", source, "--out", folder / "run", "--job", job, "--shard-size", 2, *more)


def engines(folder: Path) -> list[int]:
    """The children of servers that still live, of those whose environment lies there."""
    ours = f"# engine {folder}/"
    return [p.pid for p in psutil.process_iter(["cmdline"]) if ours in " ".join(p.info["cmdline"] or [])]


@pytest.mark.parametrize("engine", ["inline", "ray"])
def test_servers_are_there_for_the_job_and_gone_after_it(engine: str, tmp_path: Path) -> None:
    job = job_file(tmp_path, {"model": str(fakes.model(tmp_path / "tale"))})
    ended = annotate(tmp_path, job, "--engine", engine, "--cpu", "--actors", 1)
    assert ended.code == 0, ended.err
    rows = dataset(tmp_path / "run")
    assert [row["id"] for row in rows] == list(CLIPS)
    (name,) = {row["answered_by"] for row in rows}
    assert name.startswith("tale@")
    assert engines(tmp_path) == []


@pytest.mark.parametrize(
    ("ending", "when"),
    [(signal.SIGINT, "starting"), (signal.SIGINT, "working"), (signal.SIGKILL, "working")],
)
def test_a_run_that_is_ended_leaves_no_server_behind(
    ending: signal.Signals, when: str, tmp_path: Path
) -> None:
    model = fakes.model(tmp_path / "tale", slow_s=3600 if when == "starting" else 0)
    job = job_file(tmp_path, {"model": str(model)}, slow_s=3600)
    source = write_manifest(tmp_path / "clips.jsonl", *map(example, CLIPS))
    arguments = ["annotate", source, "--out", tmp_path / "run", "--job", job, "--cpu", "--actors", 1]
    command = [sys.executable, "-m", "jobs.cli", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if ("starting" if when == "starting" else "served at") in line:
                break
        fakes.wait_until(lambda: len(engines(tmp_path)) == 1)
        run.send_signal(ending)
        assert run.wait() == (130 if ending == signal.SIGINT else -9)
    fakes.wait_until(lambda: engines(tmp_path) == [])
    assert not list((tmp_path / "run").glob("answer-*/*.parquet"))


def heed_interrupts() -> None:
    """What a shell starts in the background ignores SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_where_nothing_is_left_to_do_nothing_is_started(tmp_path: Path) -> None:
    model = fakes.model(tmp_path / "tale")
    job = job_file(tmp_path, {"model": str(model)})
    assert annotate(tmp_path, job, "--engine", "inline", "--cpu").code == 0
    logs, written = list((tmp_path / "cache").rglob("*.log")), sidecars(tmp_path / "run")
    again = annotate(tmp_path, job, "--engine", "inline", "--cpu")
    assert again.code == 0
    assert "starting" not in again.err
    assert list((tmp_path / "cache").rglob("*.log")) == logs
    assert sidecars(tmp_path / "run") == written


def test_other_weights_are_other_answers_though_folder_and_name_are_the_same(tmp_path: Path) -> None:
    base = llama.make(tmp_path / "base")
    adapter = llama.adapter(base, tmp_path / "adapter")
    record = read_file(job_file(tmp_path, {"model": str(base), "lora": {"rewriter": str(adapter)}}))
    first, again = (build_job(record).of("answer")[0] for _ in range(2))
    llama.adapter(base, adapter, seed=2)
    other = build_job(record).of("answer")[0]
    assert first.key == again.key != other.key
    assert str(first.options["model"]).startswith("rewriter@")
    assert first.options["model"] != other.options["model"]


def test_where_a_model_is_served_changes_no_fingerprint_and_stands_in_no_record(tmp_path: Path) -> None:
    job = build_job(read_file(job_file(tmp_path, {"model": str(fakes.model(tmp_path / "tale"))})))
    told = with_endpoints(job, ["http://127.0.0.1:1", "http://127.0.0.1:2"])
    assert [way.key for way in told.ways] == [way.key for way in job.ways]
    assert told.of("answer")[0].options["endpoint"] == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    elsewhere = build_job(
        read_file(job_file(tmp_path, {"model": str(tmp_path / "tale")}, endpoint="http://h:1", model="m"))
        | {"serve": None}
    )
    assert with_endpoints(elsewhere, ["http://127.0.0.1:1"]) == elsewhere


def test_the_model_wanted_is_named_shortly_and_must_be_served(tmp_path: Path) -> None:
    base = llama.make(tmp_path / "base")
    lora = {name: str(llama.adapter(base, tmp_path / name)) for name in ("en", "zh")}
    serve = {"model": str(base), "lora": lora}
    wanted = build_job(read_file(job_file(tmp_path, serve, model="zh"))).of("answer")[0].options["model"]
    assert str(wanted).startswith("zh@")
    assert wanted in identified(read_serve(serve)).names
    with pytest.raises(OptionError, match=r"serves several adapters: name one as answer\.model"):
        build_job(read_file(job_file(tmp_path, serve)))
    with pytest.raises(OptionError, match=r"no model served by this job 'fr'.*base, en, zh"):
        build_job(read_file(job_file(tmp_path, serve, model="fr")))


def test_a_job_that_serves_what_nobody_asks_is_refused(tmp_path: Path) -> None:
    record = read_file(job_file(tmp_path, {"model": str(fakes.model(tmp_path / "tale"))}))
    record["annotators"] = {"sound": "decode"}
    with pytest.raises(OptionError, match="none of its annotators asks one"):
        build_job(record)
    assert serve_of({**record, "serve": None}) is None


def test_a_server_that_does_not_come_up_ends_the_run_with_the_end_of_its_log(tmp_path: Path) -> None:
    job = job_file(tmp_path, {"model": str(fakes.model(tmp_path / "tale", die="out of patience"))})
    ended = annotate(tmp_path, job, "--engine", "ray", "--cpu")
    assert ended.code == 2
    assert "ended before it was up" in ended.err
    assert "out of patience" in ended.err


@pytest.mark.parametrize(
    ("replicas", "gpus", "pools", "there", "count"),
    [
        ("auto", 1, [], 8, 8),
        ("auto", 2, [], 8, 4),
        ("auto", 0.5, [], 1, 2),
        ("auto", 1, [Pool(gpus=1.0, actors=2)], 8, 6),
        ("auto", 1, [Pool(gpus=1.0)], 8, 4),
        ("auto", 1, [Pool(gpus=1.0)], 2, 1),
        ("auto", 1, [Pool(gpus=1.0)], 3, 1),
        ("auto", 0.5, [Pool(gpus=0.5)], 1, 1),
        (3, 1, [Pool(gpus=1.0)], 4, 3),
        (2, 0, [], 0, 2),
        ("auto", 0, [], 0, 1),
    ],
)
def test_servers_take_the_gpus_that_pools_leave(
    replicas: object, gpus: float, pools: list[Pool], there: float, count: int
) -> None:
    serve = read_serve({"model": "m", "replicas": replicas, "gpus": gpus})
    assert server_count(serve, gpus, pools, there) == count


@pytest.mark.parametrize(
    ("replicas", "gpus", "pools", "there"),
    [("auto", 1, [], 0), ("auto", 1, [Pool(gpus=1.0)], 1), (9, 1, [], 8), ("auto", 4, [], 3)],
)
def test_more_gpus_than_there_are_is_refused(
    replicas: object, gpus: float, pools: list[Pool], there: float
) -> None:
    serve = read_serve({"model": "m", "replicas": replicas, "gpus": gpus})
    with pytest.raises(RunError, match=r"want \d+ GPUs and there are"):
        server_count(serve, gpus, pools, there)


def test_where_no_server_can_be_started_again_the_run_ends_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "BACK_OFF_S", 0.0)
    model = fakes.model(tmp_path / "tale")
    fleet = LocalFleet(identified(read_serve(str(model))), 1, cpu=True)
    try:
        (address,) = fleet.start()
        fleet.look()
        (model / "behaviour.json").write_text('{"die": "the disk is full"}')
        os.kill(fakes.asked(address)["pid"], signal.SIGKILL)

        def is_lost() -> bool:
            try:
                fleet.look()
            except RunError as error:
                return "5 times. " in str(error) and "the disk is full" in str(error)
            return False

        fakes.wait_until(is_lost)
    finally:
        fleet.stop()


@pytest.fixture(scope="module")
def three_gpus() -> Iterator[None]:
    """A Ray that believes in three GPUs."""
    ray.init(address="local", num_gpus=3, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("three_gpus")
def test_every_server_has_gpus_of_its_own(tmp_path: Path) -> None:
    serve = identified(read_serve(str(fakes.model(tmp_path / "tale"))))
    fleet = RayFleet(serve, 3, gpus=1.0, host="127.0.0.1")
    try:
        addresses = fleet.start()
        assert len(set(addresses)) == 3
        assert {fakes.asked(address)["gpus"] for address in addresses} == {"0", "1", "2"}
    finally:
        fleet.stop()
    assert not any(healthy(address) for address in addresses)


@pytest.mark.usefixtures("three_gpus")
def test_an_actor_that_is_killed_is_replaced_and_its_server_comes_back_where_it_was(tmp_path: Path) -> None:
    serve = identified(read_serve(str(fakes.model(tmp_path / "tale"))))
    fleet = RayFleet(serve, 1, gpus=1.0, host="127.0.0.1")
    try:
        (address,) = fleet.start()
        server = fakes.asked(address)["pid"]
        workers = psutil.Process().children(recursive=True)
        (actor,) = [p for p in workers if title_of(p).startswith("ray::_Host")]
        actor.kill()

        def is_back() -> bool:
            fleet.look()
            try:
                return bool(fakes.asked(address)["pid"] != server)
            except OSError:  # the old one is gone and the new one does not answer yet
                return False

        fakes.wait_until(is_back)
        assert fakes.group(server) == []
    finally:
        fleet.stop()
    assert not healthy(address)


@pytest.mark.usefixtures("three_gpus")
def test_what_keeps_a_server_from_starting_on_its_node_is_told_as_it_is(tmp_path: Path) -> None:
    serve = identified(read_serve(str(fakes.model(tmp_path / "tale"))))
    shutil.rmtree(tmp_path / "tale")
    fleet = RayFleet(serve, 1, gpus=1.0, host="127.0.0.1")
    try:
        with pytest.raises(UsageError, match="There is no model at"):
            fleet.start()
    finally:
        fleet.stop()
