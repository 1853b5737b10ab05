"""The end of a run in figures: how much, what failed and why, where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.costs import COST_COLUMNS, cost_cells, costs, loading, named_table
from jobs.languages import assumptions
from jobs.output import shown
from pipeline.counting import counted
from pipeline.engine.flow import Outcome
from pipeline.engine.tally import Tally
from pipeline.filesystems import redacted
from pipeline.way import CUT


def summary(outcome: Outcome, out: str, elapsed_s: float) -> dict[str, Any]:
    """The figures, for people and machines alike; `annotators` did so much in this call, at such a cost."""
    joined = outcome.joined
    tallies: dict[str, Tally] = {}
    for phase in outcome.phases:
        for key, tally in phase.tallies.items():
            tallies.setdefault(key.partition("@")[0], Tally()).add(tally)
    computed_s = sum(p.seconds for p in outcome.phases)
    return {
        "run": redacted(out),
        "dataset": f"{redacted(out).rstrip('/')}/dataset",
        "clips": joined.clips,
        "ok": joined.ok,
        "failed": joined.failed,
        "speech_s": round(joined.seconds, 3),
        "shards": len(outcome.shards),
        "shards_given_up": [s.index for s in outcome.given_up],
        "elapsed_s": round(elapsed_s, 3),
        "realtime_factor": round(computed_s / elapsed_s, 2) if computed_s else None,
        "causes": [
            {"cause": cause, "clips": count, "example": joined.examples.get(cause, "")}
            for cause, count in sorted(joined.causes.items(), key=lambda kv: -kv[1])
        ],
        "tolerated": [
            {"cause": cause, "clips": count}
            for cause, count in sorted(joined.tolerated.items(), key=lambda kv: -kv[1])
        ],
        "assumed_language": joined.assumed,
        "annotators": {
            line.pop("annotator"): {"ok": t.ok, "skipped": t.skipped, "failed": t.failed} | line
            for t, line in zip(tallies.values(), costs(tallies, tallies), strict=True)
        },
    }


def print_summary(facts: Mapping[str, Any], console: Console | None = None) -> None:
    """The figures on a terminal."""
    console = console or Console()
    if facts["annotators"]:
        console.print(_table(facts["annotators"]))
        console.print(_notes(facts), style="dim", highlight=False)
    hours = facts["speech_s"] / 3600
    console.print(
        f"[bold]{counted(facts['clips'], 'clip')}[/], {hours:,.2f} h of speech: "
        f"[green]{facts['ok']:,} ok[/], {facts['failed']:,} failed, in {facts['elapsed_s']:.1f} s."
    )
    for cause in facts["causes"]:
        example = shown(cause["example"])
        console.print(
            f"  {cause['clips']:>6,}  {shown(cause['cause'])}  [dim]e.g. {example}[/]", highlight=False
        )
    for cause in facts["tolerated"]:
        console.print(f"  {cause['clips']:>6,}  {shown(cause['cause'])}  [dim](optional)[/]", highlight=False)
    for text in assumptions(facts["assumed_language"]):
        console.print(text, style="yellow", highlight=False)
    if facts["shards_given_up"]:
        numbers = ", ".join(map(str, facts["shards_given_up"][:20]))
        lost = len(facts["shards_given_up"])
        console.print(
            f"[yellow]{counted(lost, 'shard')} {'was' if lost == 1 else 'were'} given up: {numbers}[/]"
        )
    console.print(f"Dataset: {shown(facts['dataset'])}", highlight=False, soft_wrap=True)


def _table(annotators: Mapping[str, Any]) -> Table:
    """What each annotator did in this call, and at what cost."""
    table = named_table("annotator")
    for name in ("ok", "skipped", "failed", *COST_COLUMNS):
        table.add_column(name, justify="right")
    for name, t in annotators.items():
        table.add_row(name, f"{t['ok']:,}", f"{t['skipped']:,}", f"{t['failed']:,}", *cost_cells(t))
    return table


def _notes(facts: Mapping[str, Any]) -> str:
    """What the figures of the table are."""
    annotators = facts["annotators"]
    cuts = [name for name in annotators if name.partition("-")[0] == CUT]
    return " ".join(
        [
            "All of this call; `speechcraft status` adds up all calls.",
            loading(annotators.values()),
            *(f"{name} counts recordings, the others clips." for name in cuts),
        ]
    )
