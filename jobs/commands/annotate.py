"""`speechcraft annotate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from jobs.driving import Work, drive, tell
from jobs.jobfile import DEFAULT_PROFILE, build_job, read_file, read_profile, serve_of
from jobs.output import shown
from jobs.runtime_env import runtime_env
from jobs.serving.settings import Serve
from jobs.sourcing import First, check_apart, check_same, known_as, options_of, whole_name
from jobs.thresholds import FrozenWatcher, notice, resting
from jobs.untaken import sentences
from pipeline.counting import counted
from pipeline.engine.base import Engine
from pipeline.engine.flow import annotate
from pipeline.engine.watcher import Watchers
from pipeline.errors import OptionError, unknown
from pipeline.job import Job
from pipeline.record import read_job
from pipeline.rundir import JOB
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
    source_options: tuple[str, ...] = ()
    replace_source: bool = False
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
        store = Store(request.out)
        items = _items(request, record, store)
        if text := _size_notice(request, record, job, store):
            tell(console, text)
        engine = made_engine(request.engine, request.ray_address, request.actors, console, brought)
        if serve := serve_of(record):
            engine = served(engine, serve, console, cpu=request.cpu)
        return engine, lambda store, engine, watcher: annotate(
            _telling(items, console),
            job,
            store,
            engine,
            Watchers([FrozenWatcher(job, store, lambda text: tell(console, text)), watcher]),
            _name(request, record, store),
            take_over=request.take_over,
        )

    metered = request.engine == "ray"
    return drive("annotate", request.out, make, metered=metered, log_json=request.log_json, as_json=as_json)


def _foresee(request: Request, *, as_json: bool) -> int:
    from jobs.commands import foresee as command
    from jobs.foresee import foresee

    record, job = resolved(request)
    store, console = Store(request.out), Console(stderr=True)
    items = _items(request, record, store)
    if text := _size_notice(request, record, job, store):
        tell(console, text)
    found = foresee(_telling(items, console), job, store)
    if text := notice(resting(job, store), job, store, found.total.clips):
        tell(console, text)
    command.tell(found, as_json=as_json)
    return 0


def _items(request: Request, record: Mapping[str, Any], store: Store) -> First:
    """The items asked for; RunError where the run directory is not the place for them."""
    options = source_options(request, record)
    source = open_source(known_as(store, request.source, options), options=options)
    items = First(source, request.limit)
    check_apart(source, request.source, request.out)
    check_same(store, items, _name(request, record, store), request.limit, replace=request.replace_source)
    return items


def _name(request: Request, record: Mapping[str, Any], store: Store) -> str:
    options = source_options(request, record)
    return whole_name(known_as(store, request.source, options), options)


def _telling(items: First, console: Console) -> Iterator[Item]:
    """The items; after the last it is told which labels of theirs do not count as given."""
    yield from items
    for text in sentences(items.source.untaken) if items.source.untaken else ():
        tell(console, text)


def _size_notice(request: Request, record: Mapping[str, Any], job: Job, store: Store) -> str | None:
    """What to say of another number of clips in a shard than the run has been planned with."""
    if not (request.shard_size or "shard_size" in record) or not store.exists(JOB):
        return None
    before = read_job(store)["shard_size"]
    if before == job.shard_size:
        return None
    return (
        f"The shards of {store.url} were made with {counted(before, 'clip')} and stay as they are: "
        f"a shard size of {job.shard_size:,} counts for new clips only."
    )


def resolved(request: Request, *, shard_size: int | None = None) -> tuple[dict[str, Any], Job]:
    """What was asked for, and the job it makes."""
    if request.profile and request.job_file:
        raise OptionError("Give --profile or --job, not both.")
    record = (
        read_file(request.job_file) if request.job_file else read_profile(request.profile or DEFAULT_PROFILE)
    )
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


def source_options(request: Request, record: Mapping[str, Any]) -> dict[str, object]:
    """What the source is told."""
    speaker = {"speaker_from": request.speaker_from} if request.speaker_from else {}
    return options_of(record, request.source_options) | speaker
