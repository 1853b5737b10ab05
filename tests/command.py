"""The command line in this process, as a shell would see it, and small sources for it."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from jobs.cli import main

CLIPS = Path(__file__).parents[1] / "examples" / "clips"
EXAMPLES: dict[str, dict[str, Any]] = {
    line["id"]: line for line in map(json.loads, (CLIPS / "manifest.jsonl").read_text("utf-8").splitlines())
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)


def speechcraft(*arguments: object) -> Ended:
    """Run a command to its end."""
    out, err = io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with (
            patch.object(sys, "argv", ["speechcraft", *map(str, arguments)]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
    except SystemExit as ended:
        return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
    finally:
        signal.signal(signal.SIGTERM, handler)
    raise AssertionError("main() returned instead of exiting")


def write_manifest(path: Path, *lines: Mapping[str, object]) -> Path:
    """A JSON lines manifest."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return path


def example(id: str, /, **changes: object) -> dict[str, object]:
    """The manifest line of an example clip, its sound by absolute path; a change to None drops a field."""
    line = EXAMPLES[id] | {"audio": str(CLIPS / EXAMPLES[id]["audio"])} | changes
    return {name: value for name, value in line.items() if value is not None}


def dataset_files(run: Path) -> list[Path]:
    """The files of a run's dataset, in order."""
    index = json.loads((run / "dataset" / "index.json").read_text("utf-8"))
    return [run / "dataset" / file["name"] for file in index["files"]]


def dataset(run: Path) -> list[dict[str, Any]]:
    """The rows of a run's dataset."""
    return [row for file in dataset_files(run) for row in pq.read_table(file).to_pylist()]


def sidecars(run: Path) -> dict[str, int]:
    """Every sidecar of a run with the time it was written, in ns."""
    return {str(p.relative_to(run)): p.stat().st_mtime_ns for p in run.glob("*@*/*.parquet")}
