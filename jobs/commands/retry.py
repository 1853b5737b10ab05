"""`speechcraft retry`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from annotators._chat.address import LATER
from jobs.commands.annotate import made_engine, on_processors, served
from jobs.driving import Work, drive
from jobs.failed import done
from jobs.jobfile import read_file, serve_of
from jobs.output import emit, notice
from jobs.recorded import job_as_ran
from jobs.retry import Rows, Selection, mark, missing, select
from jobs.runs import Run
from pipeline.counting import counted
from pipeline.engine.base import Engine
from pipeline.engine.flow import go_on
from pipeline.errors import OptionError
from pipeline.job import Job
from pipeline.join import is_joined
from pipeline.lease import held


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for."""

    directory: str
    selection: Selection
    mark_only: bool = False
    engine: str = "ray"
    actors: int | None = None
    ray_address: str | None = None
    cpu: bool = False
    job_file: Path | None = None
    limits: Sequence[tuple[str, str | None]] = ()
    log_json: str | None = None
    take_over: bool = False


def run(request: Request, *, as_json: bool) -> int:
    """Mark the rows and, unless only that was asked, compute what is missing; the exit code."""
    opened = Run.open(request.directory)
    job = _job(request, opened)
    selected = select(opened, request.selection, notice)
    rows, lacking = selected.rows, missing(opened)
    with held(opened.store, take_over=request.take_over):
        count = mark(opened, job, selected)
    if request.mark_only or not (count or _is_unfinished(opened)):
        _print(count, rows, as_json=as_json)
        return 0

    def make(console: Console) -> tuple[Engine, Work]:
        console.print(_sentence(count, rows), highlight=False)
        if lacking:
            said = f"The run still lacks {lacking}: computed as well, as its dataset has every row."
            console.print(said, highlight=False)
        engine = made_engine(request.engine, request.ray_address, request.actors, console)
        if serve := serve_of(read_file(request.job_file)) if request.job_file else None:
            engine = served(engine, serve, console, cpu=request.cpu)
        source = opened.record["source"]
        return engine, lambda store, engine, watcher: go_on(
            job, store, engine, watcher, source, take_over=request.take_over
        )

    metered = request.engine == "ray"
    return drive(
        "retry", request.directory, make, metered=metered, log_json=request.log_json, as_json=as_json
    )


def _job(request: Request, run: Run) -> Job:
    """The job as it ran, in the pools and within the limits that are asked for now."""
    job = job_as_ran(run)
    asks = [way.family for way in job.ways if way.options.get("endpoint") == LATER]
    if asks and not request.job_file and not request.mark_only:
        raise OptionError(
            f"{', '.join(asks)} asks a model that the job itself serves: add --job with the file it ran by."
        )
    asked: dict[str, Any] = {name: value for name, value in request.limits if value is not None}
    job = replace(job, limits=replace(job.limits, **asked))
    return on_processors(job) if request.cpu else job


def _is_unfinished(run: Run) -> bool:
    unmade = any(done(run, way) < len(run.shards) for way in run.way_names)
    return run.marked or unmade or not is_joined(run.store)


def _print(count: int, rows: Rows, *, as_json: bool) -> None:
    if as_json:
        emit({"rows": count, "shards": sorted(rows)})
    else:
        Console().print(_sentence(count, rows), highlight=False)


def _sentence(count: int, rows: Rows) -> str:
    if not count:
        return "No row is to be computed again that was not already."
    return f"{counted(count, 'row')} of {counted(len(rows), 'shard')} to be computed again."
