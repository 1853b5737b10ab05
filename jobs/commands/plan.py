"""`speechcraft plan`."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.captions.sample import Sample
from jobs.commands.annotate import Request as Asked
from jobs.commands.annotate import made_engine, resolved, served, source_options
from jobs.costs import GB, named_table
from jobs.driving import interrupt
from jobs.forecast.forecast import forecast
from jobs.forecast.measure import measured
from jobs.forecast.spent import Meter
from jobs.jobfile import serve_of
from jobs.output import emit, shown
from jobs.progress import RichWatcher
from pipeline.counting import counted
from pipeline.engine.flow import annotate
from pipeline.engine.watcher import Watchers
from pipeline.errors import RunError, SourceError
from pipeline.source import open_source
from pipeline.source.base import Item
from pipeline.storage import Store

SHARDS = 10
"""Of a sample: fewer tell little about how much shards differ."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for. `asked.shard_size` is that of the run to come."""

    asked: Asked
    hours: float | None = None
    sample: int = 100
    seed: int = 0


def run(request: Request, *, as_json: bool) -> None:
    """Annotate a sample in a temporary folder and say what it tells of the whole."""
    console = Console(stderr=True)
    facts = facts_of(request, console)
    if as_json:
        emit(facts)
    else:
        _print(facts)


def facts_of(request: Request, console: Console) -> dict[str, Any]:
    """The forecast. RunError where no clip of the sample could be decoded."""
    asked = request.asked
    record, job = resolved(asked)
    drawn: Sample[Item] = Sample(request.sample, request.seed)
    for number, item in enumerate(open_source(asked.source, options=source_options(asked, record))):
        drawn.add(str(number), item)
    if not drawn.kept:
        raise SourceError("The source holds no clips.")
    small = resolved(asked, shard_size=max(1, len(drawn.kept) // SHARDS))[1]
    engine = made_engine(asked.engine, asked.ray_address, asked.actors, console)
    if serve := serve_of(record):
        engine = served(engine, serve, console, cpu=asked.cpu)
    meter = Meter(small)
    signal.signal(signal.SIGTERM, interrupt)  # else the folder would stay
    with tempfile.TemporaryDirectory(prefix="speechcraft-plan-") as folder:
        try:
            watchers = Watchers([RichWatcher(console), meter])
            outcome = annotate(drawn.kept, small, Store(folder), engine, watchers, asked.source)
        finally:
            engine.stop()
        found = measured(Path(folder), outcome, meter, len(drawn.kept), job.shard_size)
    if found.source_s <= 0:
        raise RunError("No clip of the sample could be decoded: there is nothing to forecast from.")
    whole = found.source_s / 3600 * drawn.seen / len(drawn.kept)
    actors = {pool.name: asked.actors or pool.actors or 1 for pool in job.pools}
    ran = replace(outcome.job, shard_size=job.shard_size)
    facts = forecast(ran, found, request.hours or whole, actors)
    facts["sample"] |= {"items": len(drawn.kept), "of": drawn.seen, "seed": request.seed}
    return facts


def _print(facts: Mapping[str, Any]) -> None:
    console = Console()
    sample = facts["sample"]
    console.print(
        f"Measured on {sample['items']:,} of {counted(sample['of'], 'item')}: "
        f"{counted(sample['clips'], 'clip')} in {counted(sample['groups'], 'group')}, "
        f"{sample['speech_s']:,.0f} s of sound, {sample['failed']:,} failed.",
        highlight=False,
    )
    console.print(_annotators(facts))
    console.print(_pools(facts))
    size, objects = facts["bytes"], facts["objects"]
    console.print(
        f"[bold]{_number(facts['hours'])} h[/] of sound would be {counted(facts['clips'], 'clip')} in "
        f"{counted(facts['shards'], 'shard')}, done in [bold]{_span(facts['elapsed_hours'])} h[/] "
        "by these processes.",
        highlight=False,
    )
    console.print(
        f"Sound {_span(size['sound'], GB)} GB, sidecars {_span(size['sidecars'], GB)} GB, "
        f"dataset {_span(size['dataset'], GB)} GB; {counted(sum(objects.values()), 'object')}.",
        highlight=False,
    )
    console.print(
        "[dim]Process hours: of one process with a core of its own, without loading models; share: of all of "
        "them. In brackets and after ±: 95 % intervals, by how much the groups of the sample differ. They do "
        "not cover another machine, more processes on one machine than were measured, storage farther away, "
        "batches larger than the sample's, or a source unlike its sample.[/]"
    )


def _annotators(facts: Mapping[str, Any]) -> Table:
    """Where the hours of the processes go; what the last row holds is what the pools hold together."""
    table = named_table("annotator")
    table.add_column("pool")
    for name in ("s per hour of speech", "process hours", "share", "peak GB"):
        table.add_column(name, justify="right")
    for line in facts["annotators"]:
        peak = line["peak_rss_gb"]
        table.add_row(
            line["annotator"] or "reading and writing",
            shown(line["pool"]),
            _give_or_take(line["compute_s_per_speech_h"]),
            _number(line["process_hours"]["value"]),
            f"{100 * line['share']:.1f} %",
            "-" if peak is None else f"{peak:.2f}",
        )
    total = sum(pool["process_hours"]["value"] for pool in facts["pools"])
    table.add_row("together", "", "", _number(total), "100 %", "", style="bold")
    return table


def _pools(facts: Mapping[str, Any]) -> Table:
    table = Table("pool", box=None, header_style="bold")
    for name in ("processes", "hours", "process hours", "core hours", "GPU hours"):
        table.add_column(name, justify="right")
    for pool in facts["pools"]:
        names = ("elapsed_hours", "process_hours", "core_hours", "gpu_hours")
        spans = [_give_or_take(pool[name]) for name in names]
        table.add_row(shown(pool["pool"]), str(pool["processes"]), *spans)
    return table


def _span(estimate: Mapping[str, Any], unit: float = 1.0) -> str:
    value = _number(estimate["value"] / unit)
    if estimate["low"] is None or not estimate["value"]:
        return value
    return f"{value} ({_number(estimate['low'] / unit)} to {_number(estimate['high'] / unit)})"


def _give_or_take(estimate: Mapping[str, Any]) -> str:
    """The value with half the width of its interval, in a word: a table has no room for more."""
    value = estimate["value"]
    if estimate["high"] is None or not value:
        return _number(value)
    return f"{_number(value)}±{100 * (estimate['high'] - value) / value:.0f}%"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
