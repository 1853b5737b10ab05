"""`speechcraft annotate`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console

from jobs.driving import Work, drive
from jobs.jobfile import build_job, read_file, read_profile, serve_of
from jobs.output import shown
from jobs.runtime_env import runtime_env
from jobs.serving.settings import Serve
from pipeline.engine.base import Engine
from pipeline.engine.flow import annotate
from pipeline.errors import OptionError, unknown
from pipeline.job import Job
from pipeline.source import open_source
from pipeline.source.base import Item
from pipeline.storage import Store

ENGINES = ("inline", "ray")


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for."""

    source: str
    out: str
    profile: str | None = None
    job_file: Path | None = None
    sets: tuple[str, ...] = ()
    shard_size: int | None = None
    limit: int | None = None
    engine: str = "ray"
    actors: int | None = None
    ray_address: str | None = None
    working_dir: str | None = None
    ray_runtime_env: Path | None = None
    cpu: bool = False
    speaker_from: str | None = None
    ignore_given: bool = False
    keep_given: tuple[str, ...] = ()
    log_json: str | None = None
    take_over: bool = False
    dry_run: bool = False


def run(request: Request, *, as_json: bool) -> int:
    """Annotate, or only say what would be done; the exit code."""
    if request.dry_run:
        return _foresee(request, as_json=as_json)

    def make(console: Console) -> tuple[Engine, Work]:
        record, job = resolved(request)
        brought = runtime_env(request.ray_runtime_env, request.working_dir, request.ray_address)
        items = _items(request)
        engine = made_engine(request.engine, request.ray_address, request.actors, console, brought)
        if serve := serve_of(record):
            engine = served(engine, serve, console, cpu=request.cpu)
        return engine, lambda store, engine, watcher: annotate(
            items, job, store, engine, watcher, request.source, take_over=request.take_over
        )

    metered = request.engine == "ray"
    return drive("annotate", request.out, make, metered=metered, log_json=request.log_json, as_json=as_json)


def _foresee(request: Request, *, as_json: bool) -> int:
    from jobs.commands.foresee import tell
    from jobs.foresee import foresee

    tell(foresee(_items(request), resolved(request)[1], Store(request.out)), as_json=as_json)
    return 0


def _items(request: Request) -> Iterable[Item]:
    source = open_source(request.source, options=source_options(request))
    return islice(source, request.limit) if request.limit else source


def resolved(request: Request, *, shard_size: int | None = None) -> tuple[dict[str, Any], Job]:
    """What was asked for, and the job it makes."""
    if request.profile and request.job_file:
        raise OptionError("Give --profile or --job, not both.")
    record = read_file(request.job_file) if request.job_file else read_profile(request.profile or "embedded")
    job = build_job(
        record,
        request.sets,
        shard_size=shard_size or request.shard_size,
        ignore_given=request.ignore_given,
        keep_given=request.keep_given,
    )
    return record, on_processors(job) if request.cpu else job


def on_processors(job: Job) -> Job:
    """The job with no pool that asks for GPUs."""
    return replace(job, pools=tuple(replace(pool, gpus=0.0) for pool in job.pools))


def made_engine(
    name: str,
    ray_address: str | None,
    actors: int | None,
    console: Console,
    brought: Mapping[str, Any] | None = None,
) -> Engine:
    """The engine of that name; OptionError if there is none. `brought`: to the nodes of a running cluster."""
    if name == "inline":
        from pipeline.engine.inline import InlineEngine

        return InlineEngine()
    if name == "ray":
        from pipeline.engine.ray_engine import RayEngine

        def tell(text: str) -> None:
            console.print(shown(text), style="yellow", highlight=False)

        return RayEngine(ray_address, actors, runtime_env=brought, say=tell)
    raise unknown("engine", name, ENGINES)


def served(engine: Engine, serve: Serve, console: Console, *, cpu: bool) -> Engine:
    """The engine with the models that the job serves itself."""
    from jobs.serving.engine import ServedEngine

    return ServedEngine(engine, serve, lambda text: console.print(shown(text), highlight=False), cpu=cpu)


def source_options(request: Request) -> dict[str, object]:
    """What the source is told."""
    return {"speaker_from": request.speaker_from} if request.speaker_from else {}
