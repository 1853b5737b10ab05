"""The job of a run, rebuilt from its own record."""

from __future__ import annotations

from typing import Any

from jobs.jobfile import build_job
from jobs.runs import Run
from pipeline.engine.flow import frozen
from pipeline.errors import RunError
from pipeline.job import Job


def job_of(run: Run) -> Job:
    """The job of a run as recorded, thresholds not yet set."""
    record = run.record
    annotators = {family: [_entry(e) for e in entries] for family, entries in record["annotators"].items()}
    return build_job(
        {"annotators": annotators, "limits": record["limits"], "pools": record["pools"]},
        ignore_given=record["ignore_given"],
        keep_given=record["keep_given"],
        shard_size=record["shard_size"],
        calibrate_clips=record["calibrate_clips"],
        keep_sound=record["keep_sound"],
        seed=record["seed"],
    )


def job_as_ran(run: Run) -> Job:
    """The job with its thresholds; RunError where the models or versions of this machine make another."""
    job = frozen(job_of(run), run.store)
    if {way.key for way in job.ways} != {way.key for way in run.ways}:
        raise RunError(
            f"{run.store.url} was annotated with other models or versions than are here: annotate it first."
        )
    return job


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """An annotator as a job file has it."""
    return {
        "use": entry["module"] if "." in entry["module"] else entry["use"],
        **{name: value for name, value in entry["options"].items() if name != "thresholds"},
        **{name: entry[name] for name in ("languages", "optional") if name in entry},
    }
