"""How a run of the command line ends: given up in part, or interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.command import Ended, dataset, example, sidecars, speechcraft, write_manifest

ROOT = Path(__file__).parents[2]
MEASURES = "annotators: {sound: decode, quality: measured, energy: levels}\n"
SPOKEN = ("brother", "red-book", "meeting", "zh-neighbour", "zh-match")


OWN = '''
"""Annotates what ends in -0, the rest once it may; ends its process when told to."""
import os, time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from pipeline.annotator import Annotator
from pipeline.options import Option
from pipeline.rows import Column, Row

@dataclass(frozen=True, slots=True)
class Vice(Row):
    """Nothing."""
    vice: Annotated[str, Column("nothing")]

class ViceAnnotator(Annotator[Vice]):
    row = Vice
    version = 1
    def __init__(self, *, dies: Annotated[bool, Option("ends its process")] = False) -> None:
        self.dies = dies
    def annotate(self, clips):
        if self.dies:
            os._exit(9)
        while clips[0].id[-2:] != "-0" and not Path(__file__).with_name("open").exists():
            time.sleep(0.05)
        return [Vice("patience")] * len(clips)
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """A job with an annotator of one's own, over twenty clips in shards of two."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "vices.py").write_text(OWN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    job = tmp_path / "job.yaml"
    job.write_text(MEASURES.replace("}", ", vice: own.vices}"))
    lines = [example(id, id=f"{id}-{i}") for i in range(5) for id in SPOKEN[:4]]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    return ("annotate", source, "--job", job, "--shard-size", 2)


def start(*arguments: object) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "jobs.cli", *map(str, arguments)]
    path = os.pathsep.join((str(ROOT), os.environ["PYTHONPATH"]))
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": path},
        stdout=pipe,
        stderr=pipe,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background shells ignore it
    )


def finish(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)


def test_through_ray_a_shard_given_up_is_exit_code_3_and_its_clips_have_rows(
    own: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    fatal = ("--set", "vice.dies=true", "--set", "limits.max_attempts=1", "--limit", 4, "--actors", 1)
    ended = finish(start(*own, *fatal, "--out", run, "--json"))
    assert ended.code == 3, ended.err
    assert ended.json["shards_given_up"] == [0, 1]
    assert "shard 1 given up: " in ended.err
    assert ["vice: given_up" in row["error"] for row in dataset(run)] == [True] * 4
    assert [f["shard"] for f in speechcraft("status", run, "--json").json["given_up"]] == [0, 1]


@pytest.mark.parametrize(("engine", "ending"), [("ray", signal.SIGTERM), ("inline", signal.SIGINT)])
def test_interrupted_it_ends_with_130_leaves_no_process_and_goes_on(
    engine: str, ending: signal.Signals, own: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = start(*own, "--out", run, "--engine", engine, "--actors", 1)
    while not list(run.glob("vice-*/*.parquet")) and process.poll() is None:
        time.sleep(0.05)
    assert speechcraft("status", run, "--json").json["finished"] is False
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(ending)
    ended = finish(process)
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.strip().splitlines()[-1].startswith("Interrupted. What is written stays")
    assert "Traceback" not in ended.err
    assert "*** SIG" not in ended.err
    assert psutil.wait_procs(children, timeout=60)[1] == []
    left = sidecars(run)
    assert len([name for name in left if name.startswith("vice-")]) < 10
    assert "not all are annotated" in speechcraft("status", run).out
    (tmp_path / "own" / "open").touch()
    again = speechcraft(*own, "--out", run, "--engine", "inline", "--json")
    assert (again.code, again.json["ok"]) == (0, 20)
    assert left.items() <= sidecars(run).items()
