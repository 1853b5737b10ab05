"""One contestant at work: run its command, kill it where asked, and count what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from benchmarks._peers.corpus import Corpus
from benchmarks._peers.function import LOG

ROOT = Path(__file__).parents[2]
KILLED, LATE = -9, -1
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Contestant:
    """`module` runs in the environment `env` (none: ours); without one it is speechcraft itself.

    `options` says what was set.
    """

    name: str
    module: str
    env: str | None = None
    package: str = ""
    options: str = ""
    arguments: tuple[str, ...] = ()


@dataclass
class Run:
    """One start of the command: how it ended, when calls came, and what it said."""

    code: int
    wall_s: float
    first_call_s: float
    last_call_s: float
    said: str


@dataclass
class Found:
    """What lies in the output folder, and what it took."""

    rows: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    files: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    told: dict[str, str] = field(default_factory=dict)
    """Why a row failed, where the row says so."""


class Attempt:
    """A contestant in a folder of its own. The same command each time."""

    def __init__(self, who: Contestant, python: Path, corpus: Corpus, folder: Path, workers: int) -> None:
        self._who, self._corpus, self._folder = who, corpus, folder
        folder.mkdir(parents=True)
        self._out, self._log = folder / "out", folder / "calls.log"
        self._log.touch()
        self._command = _command(who, python, corpus, self._out, workers)

    def run(self, *, limit_s: float, kill_after: int | None = None) -> Run:
        """Until it ends, or has made that many calls and is killed with all that is below it."""
        temporary = tempfile.mkdtemp(prefix="peer-", dir="/tmp")  # Ray's sockets: short
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), LOG: str(self._log)}
        environment |= {"RAY_TMPDIR": temporary, "DO_NOT_TRACK": "1", "RAY_USAGE_STATS_ENABLED": "0"}
        with (self._folder / "said.log").open("ab") as said:
            start = said.tell()
            started_s = time.time()
            process = subprocess.Popen(
                self._command, cwd=self._folder, env=environment, stdout=said, stderr=said
            )
            while process.poll() is None:
                late = time.time() - started_s > limit_s
                if late or (kill_after and self._calls() >= kill_after):
                    _kill_all(process)
                    code = LATE if late else KILLED
                    break
                time.sleep(0.02)
            else:
                code = process.returncode
        wall_s = time.time() - started_s
        shutil.rmtree(temporary, ignore_errors=True)
        times = [t for t, _ in self._lines() if t >= started_s - 0.001] or [started_s]
        text = (self._folder / "said.log").read_bytes()[start:].decode(errors="replace")
        return Run(code, wall_s, times[0] - started_s, times[-1] - started_s, text)

    def found(self) -> Found:
        """What there is now."""
        found = Found(calls=Counter(clip for _, clip in self._lines()))
        folder = self._out / "dataset" if not self._who.module else self._out
        for path in sorted(folder.rglob("*.parquet")):
            found.files += 1
            try:
                table = pq.ParquetFile(path).read()
            except Exception:  # a half-written file fails in many ways
                found.unreadable += 1
                continue
            found.rows.update(map(str, table.column("id").to_pylist()))
            if "error" in table.column_names:
                pairs = zip(*(table.column(n).to_pylist() for n in ("id", "error")), strict=True)
                found.told.update({str(clip): str(error) for clip, error in pairs if error})
        return found

    def _lines(self) -> list[tuple[float, str]]:
        lines = (line.split() for line in self._log.read_text().splitlines())
        return [(float(when), clip) for when, clip in lines]

    def _calls(self) -> int:
        return self._log.read_bytes().count(b"\n")


def _command(who: Contestant, python: Path, corpus: Corpus, out: Path, workers: int) -> Sequence[str]:
    if who.module:
        return [
            *(str(python), "-m", f"benchmarks._peers.{who.module}"),
            *(str(corpus.manifest), str(corpus.parts), str(out), str(workers), *who.arguments),
        ]
    job = out.with_name("job.json")
    record = {
        "annotators": {"measures": {"use": "benchmarks._peers.speechcraft"}},
        "shard_size": corpus.part_clips,
    }
    job.write_text(json.dumps(record))
    return [
        *(sys.executable, "-m", "jobs.cli", "annotate", str(corpus.manifest), "--job", str(job)),
        *("--out", str(out), "--actors", str(workers)),
    ]


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to it and all below it, as when the machine loses its power."""
    family = [psutil.Process(process.pid)]
    with suppress(psutil.Error):
        family += family[0].children(recursive=True)
    for one in family:
        with suppress(psutil.Error):
            one.kill()
    process.wait()
    psutil.wait_procs(family[1:], timeout=10)
