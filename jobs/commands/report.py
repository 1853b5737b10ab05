"""`speechcraft report`."""

from __future__ import annotations

from jobs.output import emit, notice
from jobs.report import write_report


def run(directory: str, *, seed: int, as_json: bool) -> None:
    """Write the report of a run and say where it is."""
    path = write_report(directory, seed=seed, say=notice)
    emit({"report": path}) if as_json else notice(f"Open {path}")
