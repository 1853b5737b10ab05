"""`speechcraft calibrate`."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console
from rich.pretty import Pretty

from jobs.output import emit
from jobs.recorded import job_of
from jobs.runs import Run
from pipeline.engine.flow import calibrate, measured_families
from pipeline.errors import RunError


def run(directory: str, *, as_json: bool) -> None:
    """Take thresholds from every clip measured so far and freeze them in the run."""
    opened = Run.open(directory)
    job = job_of(opened)
    ways = job.uncalibrated()
    if not ways:
        raise RunError(f"No annotator of {directory} takes its thresholds from the corpus.")
    if not _is_measured(opened, {family for way in ways for family in measured_families(way)}):
        raise RunError(f"Nothing in {directory} is measured yet: annotate it first.")
    found = {way.family: calibrate(way, job, opened.store, opened.shards) for way in ways}
    if as_json:
        emit(found)
        return
    console = Console()
    console.print(Pretty(found))
    console.print("Run the same annotate command again: labels and what reads them are written anew.")


def _is_measured(run: Run, families: Collection[str]) -> bool:
    """Whether there is a sidecar of any of these families."""
    keys = [way.key for way in run.ways if way.family in families]
    return any(shard.sidecar(key) in run.names for shard in run.shards for key in keys)
