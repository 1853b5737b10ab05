"""What a run has cost by annotator, in all calls together: where the time and the money go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from pipeline.engine.tally import Tally
from pipeline.job import Job

GB = 1e9
COST_COLUMNS = ("s per hour of speech", "share", "peak GB")
"""What `cost_cells` are."""


def costs(tallies: Mapping[str, Tally], current: Iterable[str]) -> list[dict[str, Any]]:
    """A line for each annotator of the job, and one for what options that have changed since have cost.

    `share` is of all time at work: neither loading nor waiting for services is in it. `realtime_factor`:
    seconds of speech a second of one process.
    """
    keys = [key for key in current if key in tallies]
    total_s = sum(t.compute_s for t in tallies.values())
    lines = [_line(key.partition("@")[0], tallies[key], total_s) for key in keys]
    earlier = Tally()
    for key in tallies.keys() - set(keys):
        earlier.add(tallies[key])
    if earlier.compute_s or earlier.waited_s:
        lines.append(_line("", earlier, total_s))
    return lines


def keys_of(job: Job) -> list[str]:
    """The keys of a job, that of cutting recordings included."""
    return [way.key for way in (*([job.cut] if job.cut else []), *job.ways)]


def _line(name: str, spent: Tally, total_s: float) -> dict[str, Any]:
    hours = spent.speech_s / 3600
    return {
        "annotator": name,
        "compute_s": round(spent.compute_s, 3),
        "load_s": round(spent.load_s, 3),
        "waited_s": round(spent.waited_s, 3),
        "speech_s": round(spent.speech_s, 3),
        "compute_s_per_speech_h": round(spent.compute_s / hours, 3) if hours else None,
        "realtime_factor": round(spent.speech_s / spent.compute_s, 2) if spent.compute_s and hours else None,
        "share": round(spent.compute_s / total_s, 4) if total_s else 0.0,
        "peak_rss_gb": round(spent.peak_rss_bytes / GB, 3) if spent.peak_rss_bytes else None,
    }


def cost_table(lines: Iterable[Mapping[str, Any]]) -> Table:
    """The lines on a terminal; time waited for services that did not answer is told where there was any."""
    lines = list(lines)
    waited = any(line["waited_s"] for line in lines)
    table = named_table("annotator")
    for name in ("compute s", *(["waited s"] if waited else []), "x real time", *COST_COLUMNS):
        table.add_column(name, justify="right")
    for line in lines:
        table.add_row(
            line["annotator"] or "[dim]with earlier options[/]",
            f"{line['compute_s']:,.1f}",
            *([f"{line['waited_s']:,.1f}"] if waited else []),
            _number(line["realtime_factor"], "{:,.0f}"),
            *cost_cells(line),
        )
    return table


def named_table(title: str) -> Table:
    """A table whose first column shows names whole: on a narrow terminal the others give way."""
    table = Table(box=None, header_style="bold")
    table.add_column(title, no_wrap=True)
    return table


def cost_cells(line: Mapping[str, Any]) -> tuple[str, str, str]:
    """Seconds of compute per hour of speech, share of all time at work, and peak memory, as text."""
    return (
        _number(line["compute_s_per_speech_h"], "{:,.1f}"),
        f"{100 * line['share']:.1f} %",
        _number(line["peak_rss_gb"], "{:.2f}"),
    )


def loading(lines: Iterable[Mapping[str, Any]]) -> str:
    """A sentence on what the share is of, and what is not in it."""
    load_s = sum(line["load_s"] for line in lines)
    return f"Share: of the time at work; {load_s:,.1f} s of loading are not in it."


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
