"""A cluster's own exporter serves what a run does, to whatever scrapes it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import psutil
import pytest
import yaml
from ray._private import ray_constants

from jobs.serving import ports
from pipeline.annotator import Away
from pipeline.engine.flow import annotate
from pipeline.engine.meter import DriverMeter
from pipeline.engine.ray_engine import RayEngine
from pipeline.storage import Store
from tests.fakes import items_of, job_of
from tests.faulty.folder import Folder

ROOT = Path(__file__).parents[2]
RAY = str(Path(sys.executable).parent / "ray")
WITHOUT_RAY = """
import sys
from jobs.cli import main
try:
    main()
finally:
    assert "ray" not in sys.modules
"""
OURS = ("annotator", "pool", "service", "status", "code", "le", "end")
SERIES = re.compile(r"^ray_speechcraft_(\w+)\{(.*)\} ([0-9.e+]+)$")


def free_port() -> int:
    """None that may be given to an outgoing connection before Ray listens there."""
    return ports.free_port("127.0.0.1")


@contextmanager
def head(metrics_port: int) -> Iterator[str]:
    """`ray start --head` on loopback; its address."""
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # names of sockets in it must stay short
    port = free_port()
    command = [
        RAY, "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}",
        f"--metrics-export-port={metrics_port}", f"--dashboard-agent-listen-port={free_port()}",
        f"--dashboard-agent-grpc-port={free_port()}", "--include-dashboard=false", "--num-cpus=2",
        "--object-store-memory=80000000", f"--temp-dir={folder}", "--disable-usage-stats",
    ]  # fmt: skip
    with (Path(folder) / "out").open("wb") as out:
        env = os.environ | {"RAY_AUTH_MODE": "disabled"}
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, env=env)
    try:
        wait_for(lambda: port_answers(port), "the head answers")
        yield f"127.0.0.1:{port}"
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        for child in (*children, psutil.Process(process.pid)):
            child.kill()
        process.wait()
        psutil.wait_procs(children, timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def port_answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: object, what: str, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.5)
    pytest.fail(f"after {seconds:.0f} s it is not so that {what}")


def scraped(port: int) -> dict[tuple[str, ...], float]:
    """The sums of all series by name and by the labels of ours, without the run's."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
    except (OSError, HTTPException):
        return {}
    found: dict[tuple[str, ...], float] = {}
    for line in lines:
        if series := SERIES.match(line):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', series[2]))
            key = (series[1], *(labels[k] for k in OURS if k in labels))
            found[key] = found.get(key, 0.0) + float(series[3])
    return found


@pytest.mark.timeout(400)
def test_what_a_run_does_can_be_scraped_from_the_nodes_of_its_cluster(tmp_path: Path) -> None:
    port, store = free_port(), Store(str(tmp_path / "run"))
    job = job_of(peak={"raise_on": "-2"}, rank=False, shard_size=5)
    with head(port) as address:
        engine = RayEngine(address, actors=1)
        try:
            meter = DriverMeter(store)
            annotate(items_of(20, n7="bad"), job, store, engine, meter)
            meter.away([Away("http://back", "refused", 1.5e9, 3), Away("http://gone", "refused", 1.5e9, 20)])
            meter.away([Away("http://gone", "refused", 1.5e9, 20)])
            wait_for(
                lambda: (
                    scraped(port).get(("clips_total", "said-fake", "ok")) == 20
                    and scraped(port).get(("shards_done", "cpu")) == 4
                    and scraped(port).get(("clips_waiting", "http://gone")) == 20
                ),
                "the last shard is counted",
            )
            found = scraped(port)
        finally:
            engine.stop()
    assert found["clips_total", "sound-fake", "failed"] == 1
    assert found["clips_total", "peak-fake", "ok"] == 18
    assert found["errors_total", "sound-fake", "decode"] == 1
    assert found["errors_total", "peak-fake", "zero_division_error"] == 1
    assert not [key for key in found if key[0] == "errors_total" and key[-1].startswith("needs_")]
    assert found["speech_seconds_total", "peak-fake"] == pytest.approx(1.9)
    assert found["compute_seconds_total", "peak-fake"] > 0
    assert found["batch_seconds_count", "peak-fake"] >= 8
    assert found["batch_seconds_bucket", "peak-fake", "+Inf"] == found["batch_seconds_count", "peak-fake"]
    assert found["actors", "cpu"] == 1
    assert found["clips_waiting", "http://back"] == 0
    assert found["shards", "cpu"] == 4
    assert found["tasks_ready", "cpu"] == found["tasks_in_flight", "cpu"] == 0


def test_the_inline_engine_counts_nothing_and_loads_no_ray(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    command = [sys.executable, "-c", WITHOUT_RAY, "annotate", *map(str, folder.command)]
    subprocess.run(command, check=True, capture_output=True)


def test_the_runbook_names_every_metric_and_no_other() -> None:
    told = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]*) \| run, ", told, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    code = (ROOT / "pipeline" / "engine" / "meter.py").read_text("utf-8")
    assert named == set(re.findall(r'"speechcraft_(\w+)"', code))


def test_prometheus_reads_the_list_of_exporters_where_ray_writes_it() -> None:
    asked = yaml.safe_load((ROOT / "jobs" / "clusters" / "prometheus.yaml").read_text("utf-8"))
    (file,) = asked["scrape_configs"][0]["file_sd_configs"][0]["files"]
    assert file == f"/tmp/ray/{ray_constants.PROMETHEUS_SERVICE_DISCOVERY_FILE}"
