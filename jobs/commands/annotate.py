"""`speechcraft annotate`."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import FrameType

from rich.console import Console

from jobs.cli.common import GIVEN_UP
from jobs.jobfile import build_job, read_file, read_profile, serve_of
from jobs.output import emit, shown
from jobs.progress import RichWatcher
from jobs.serving.settings import Serve
from jobs.summary import print_summary, summary
from pipeline.engine.base import Engine
from pipeline.engine.driver import Watcher
from pipeline.engine.flow import annotate
from pipeline.errors import OptionError, unknown
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
    cpu: bool = False
    speaker_from: str | None = None
    ignore_given: bool = False
    keep_given: tuple[str, ...] = ()


def run(request: Request, *, as_json: bool) -> int:
    """Annotate; the exit code."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    started = time.monotonic()
    if request.profile and request.job_file:
        raise OptionError("Give --profile or --job, not both.")
    record = read_file(request.job_file) if request.job_file else read_profile(request.profile or "embedded")
    job = build_job(
        record,
        request.sets,
        shard_size=request.shard_size,
        ignore_given=request.ignore_given,
        keep_given=request.keep_given,
    )
    if request.cpu:
        job = replace(job, pools=tuple(replace(pool, gpus=0.0) for pool in job.pools))
    source = open_source(request.source, options=_source_options(request))
    items: Iterable[Item] = islice(source, request.limit) if request.limit else source
    console = Console(stderr=True)
    watcher: Watcher = RichWatcher(console)
    engine = _engine(request)
    if serve := serve_of(record):
        engine = _served(engine, serve, console, cpu=request.cpu)
    signal.signal(signal.SIGTERM, _interrupt)
    with redirect_stdout(sys.stderr):  # Ray prints there when a worker dies
        try:
            outcome = annotate(items, job, Store(request.out), engine, watcher, request.source)
        finally:
            engine.stop()
    facts = summary(outcome, request.out, time.monotonic() - started)
    if as_json:
        emit(facts)
    else:
        print_summary(facts)
    return GIVEN_UP if outcome.given_up else 0


def _engine(request: Request) -> Engine:
    if request.engine == "inline":
        from pipeline.engine.inline import InlineEngine

        return InlineEngine()
    if request.engine == "ray":
        from pipeline.engine.ray_engine import RayEngine

        return RayEngine(request.ray_address, request.actors)
    raise unknown("engine", request.engine, ENGINES)


def _served(engine: Engine, serve: Serve, console: Console, *, cpu: bool) -> Engine:
    from jobs.serving.engine import ServedEngine

    return ServedEngine(engine, serve, lambda text: console.print(shown(text), highlight=False), cpu=cpu)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _source_options(request: Request) -> dict[str, object]:
    return {"speaker_from": request.speaker_from} if request.speaker_from else {}
