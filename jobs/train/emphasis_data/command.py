"""`speechcraft train emphasis-data`: an ordinary run whose clips are the variants of another run's."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from jobs.output import emit
from jobs.progress import RichWatcher
from jobs.runs import Run
from jobs.summary import print_summary, summary
from jobs.train.emphasis_data.dataset import write_dataset
from jobs.train.emphasis_data.stressed import FOLDER, StressedAnnotator
from jobs.train.emphasis_data.variants import id_of
from pipeline.annotator import Annotator
from pipeline.engine.base import Engine
from pipeline.engine.flow import annotate
from pipeline.errors import RunError, unknown
from pipeline.job import Job, make_job
from pipeline.rows import Words
from pipeline.source.base import NOTHING_GIVEN, Item
from pipeline.storage import Store
from pipeline.way import WaySpec

GIVEN_UP = 3
STRENGTHS = (0.6, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for."""

    run: str
    out: str
    strengths: tuple[float, ...]
    per_clip: int
    seed: int
    limit: int | None = None
    engine: str = "ray"
    actors: int | None = None
    backend: str = "world"
    options: Mapping[str, object] = field(default_factory=dict)


def run(request: Request, *, as_json: bool) -> int:
    """Regenerate; the exit code."""
    started = time.monotonic()
    job = job_of(request)
    items = islice(items_of(request), request.limit * (1 + request.per_clip) if request.limit else None)
    engine = _engine(request)
    signal.signal(signal.SIGTERM, _interrupt)
    with redirect_stdout(sys.stderr):
        try:
            watcher = RichWatcher(Console(stderr=True))
            outcome = annotate(items, job, Store(request.out), engine, watcher, request.run)
        finally:
            engine.stop()
    write_dataset(Store(request.out), outcome.job, outcome.shards)
    facts = summary(outcome, request.out, time.monotonic() - started)
    facts["dataset"] = f"{request.out.rstrip('/')}/{FOLDER}"
    if as_json:
        emit(facts)
    else:
        print_summary(facts)
    return GIVEN_UP if outcome.given_up else 0


def job_of(request: Request) -> Job:
    """One way: it looks its clips up in the run. RunError where that has no words."""
    if Words not in {way.row for way in Run.open(request.run).ways}:
        raise RunError(f"The run {request.run} has no words: a word can be stressed only where it is known.")
    options = {
        "run": _whole(request.run),
        "out": _whole(request.out),
        "strengths": request.strengths,
        "seed": request.seed,
    }
    cls = _backend(request.backend)
    spec = WaySpec("stressed", request.backend, cls, options | dict(request.options))
    return make_job([spec], shard_size=10 * (1 + request.per_clip), keep_sound=False)


def items_of(request: Request) -> Iterator[Item]:
    """Every clip of the run, unstressed and then stressed `per_clip` times."""
    for _, items in Run.open(request.run).items():
        for item in items:
            given = replace(NOTHING_GIVEN, speaker=item.given.speaker, licence=item.given.licence)
            for number in range(1 + request.per_clip):
                yield replace(item, id=id_of(item.id, number), given=given)


def _backend(name: str) -> type[Annotator[Any]]:
    if name == "world":
        return StressedAnnotator
    if name == "fastspeech2":
        from jobs.train.emphasis_data.fastspeech import SpokenAnnotator

        return SpokenAnnotator
    raise unknown("backend", name, ("fastspeech2", "world"))


def _whole(url: str) -> str:
    """The same url from wherever a worker stands."""
    return url if "://" in url else str(Path(url).resolve())


def _engine(request: Request) -> Engine:
    if request.engine == "inline":
        from pipeline.engine.inline import InlineEngine

        return InlineEngine()
    if request.engine == "ray":
        from pipeline.engine.ray_engine import RayEngine

        return RayEngine(None, request.actors)
    raise unknown("engine", request.engine, ("inline", "ray"))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
