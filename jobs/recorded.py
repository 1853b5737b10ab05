"""The job of a run, rebuilt from its own record."""

from __future__ import annotations

from typing import Any

from jobs.jobfile import build_job
from jobs.runs import Run
from pipeline.errors import RunError
from pipeline.job import Job


def job_of(run: Run) -> Job:
    """The job of a run as recorded, without the thresholds that come from its corpus."""
    return _built(run, corpus=False)


def job_as_ran(run: Run) -> Job:
    """The job with the thresholds that its rows were made by, whatever `calibrate` has found since.

    RunError where the models or versions of this machine make another.
    """
    job = _built(run, corpus=True)
    if {way.key for way in job.ways} != {way.key for way in run.ways}:
        raise RunError(
            f"{run.store.url} was annotated with other models or versions than are here: annotate it first."
        )
    return job


def _built(run: Run, *, corpus: bool) -> Job:
    record = run.record
    annotators = {f: [_entry(e, corpus=corpus) for e in found] for f, found in record["annotators"].items()}
    return build_job(
        {"annotators": annotators, "limits": record["limits"], "pools": record["pools"]},
        ignore_given=record["ignore_given"],
        keep_given=record["keep_given"],
        shard_size=record["shard_size"],
        calibrate_clips=record["calibrate_clips"],
        keep_sound=record["keep_sound"],
        seed=record["seed"],
    )


def _entry(entry: dict[str, Any], *, corpus: bool) -> dict[str, Any]:
    """An annotator as a job file has it; thresholds that are no file's are of the corpus."""
    left_out = not corpus and not isinstance(entry["options"].get("thresholds"), str)
    return {
        "use": entry["module"] if "." in entry["module"] else entry["use"],
        **{name: value for name, value in entry["options"].items() if name != "thresholds" or not left_out},
        **{name: entry[name] for name in ("languages", "optional") if name in entry},
    }
