"""The batch script on a Slurm of two nodes, which are two real raylets on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from tests.command import dataset, example, sidecars, write_manifest

SCRIPT = Path(__file__).parents[3] / "jobs" / "clusters" / "slurm.sh"
SLURM = Path(__file__).parent / "bin"
IDS = ("forecast", "match", "recipe", "hospital", "red-book", "seven", "station", "telephone")
JOB = """
annotators: {sound: decode, quality: measured, pitch: dio}
"""


@pytest.fixture
def batch(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The script with its places filled in, and what Slurm would tell it."""
    write_manifest(tmp_path / "speech.jsonl", *(example(id) for id in IDS))
    (tmp_path / "job.yaml").write_text(JOB, "utf-8")
    filled = SCRIPT.read_text("utf-8").replace(
        "OPTIONS=(--profile embedded)", f"OPTIONS=(--job {tmp_path}/job.yaml --shard-size 1)"
    )
    script = tmp_path / "my-run.sh"
    script.write_text(filled, "utf-8")
    return script, {
        "PATH": f"{SLURM}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "VENV": str(Path(sys.executable).parents[1]),
        "SPEECH": str(tmp_path / "speech.jsonl"),
        "RUN": str(tmp_path / "run"),
        "REQUEUED": str(tmp_path / "requeued"),
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_JOB_NODELIST": "n1,n2",
        "SLURM_CPUS_PER_TASK": "1",
    }


def start(script: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", str(script)],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_behind(temporary: str) -> list[str]:
    """Processes of the job's Ray."""
    return [line for p in psutil.process_iter() if temporary in (line := _line(p))]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.timeout(600)
def test_a_job_told_of_its_time_limit_is_requeued_and_goes_on_where_it_was(
    batch: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    script, environment = batch
    ray = f"/tmp/ray-{environment['SLURM_JOB_ID']}"
    first = start(script, environment)
    while not (done := sidecars(tmp_path / "run")) and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGUSR1)
    said, _ = first.communicate(timeout=250)
    assert first.returncode >= 128, said
    assert (tmp_path / "requeued").read_text().strip() == environment["SLURM_JOB_ID"], said
    assert not (tmp_path / "run" / "dataset").exists(), "the signal came too late to show anything"
    assert left_behind(ray) == []

    second = start(script, {**environment, "SLURM_RESTART_COUNT": "1"})
    said, _ = second.communicate(timeout=250)
    assert second.returncode == 0, said
    assert "start 1 on 2 nodes" in said
    assert [row["id"] for row in dataset(tmp_path / "run")] == list(IDS)
    assert {row["status"] for row in dataset(tmp_path / "run")} == {"ok"}
    assert done.items() <= sidecars(tmp_path / "run").items(), "what was done was done again"
    assert left_behind(ray) == []
    assert not Path(ray).exists()
