"""`speechcraft status`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding

from jobs.calls import Call, costs_of, read_calls, waiting
from jobs.costs import cost_table, costs, loading, named_table
from jobs.failed import FailedRow, done, failed_rows, remedy
from jobs.languages import assumptions
from jobs.output import emit, shown
from jobs.runs import Run
from pipeline.counting import counted
from pipeline.filesystems import redacted
from pipeline.join import INDEX
from pipeline.rundir import AGAIN
from pipeline.way import CUT

A_FEW = 5
"""Clips and shards that are named of each cause, where not all are asked for."""


def run(directory: str, *, as_json: bool, all_: bool = False) -> None:
    """Say what is done, what is running, what failed and why."""
    facts = facts_of(Run.open(directory), directory)
    if as_json:
        emit(facts)
    else:
        _print(facts, None if all_ else A_FEW)


def facts_of(run: Run, directory: str) -> dict[str, Any]:
    """Shards done per annotator, the driver at work, failures by cause, shards given up, costs."""
    total = len(run.shards)
    dataset = json.loads(run.store.read(INDEX)) if INDEX in run.names else {}
    counts = {way.shown: done(run, way) for way in run.way_names}
    failures = [json.loads(run.store.read(name)) for name in run.given_up]
    calls = read_calls(run.store)
    return {
        "run": redacted(run.store.url),
        "source": run.record["source"],
        "shards": total,
        "clips": sum(s.clips for s in run.shards),
        "annotators": counts,
        "cut": {w.shown: [done(run, w), len(run.uncut)] for w in run.all_names if w.family == CUT},
        "finished": bool(dataset) and min(counts.values()) + len(failures) >= total > 0,
        "running": _running(calls),
        "failures": _by_cause(failed_rows(run), redacted(directory)),
        "given_up": failures,
        "to_be_computed_again": sum(name.startswith(f"{AGAIN}/") for name in run.names),
        "dataset": {k: dataset[k] for k in ("clips", "ok", "failed", "seconds", "causes", "examples")}
        | {"assumed_language": dataset.get("assumed", {})}
        if dataset
        else None,
        "calls": len(calls),
        "costs": costs(costs_of(calls), [way.key for way in run.all_names]),
    }


def _running(calls: Sequence[Call]) -> dict[str, Any] | None:
    """The last call, unless it ended: what it was at when it last wrote, and whether it lives."""
    if not calls or calls[-1].life() == "ended":
        return None
    names = ("call", "command", "host", "pid", "started", "at", "doing", "pools", "shards_lost", "in_flight")
    return {
        "life": calls[-1].life(),
        "silent_s": round(calls[-1].silent_s(), 1),
        **{name: calls[-1].facts[name] for name in names},
        "away": calls[-1].facts.get("away", []),
    }


def _by_cause(rows: Any, directory: str) -> list[dict[str, Any]]:
    """The causes, the commonest first, each with its clips and the command that tries them again, if any."""
    groups: dict[tuple[str, str, bool], list[FailedRow]] = {}
    for row in rows:
        groups.setdefault((row.family, row.code, row.optional), []).append(row)
    return [
        {
            "annotator": family,
            "code": code,
            "optional": optional,
            "clips": len(found),
            "shards": sorted({row.shard for row in found}),
            "rows": [
                {"shard": row.shard, "clip": row.clip, "reason": row.reason}
                for row in sorted(found, key=lambda row: row.shard)
            ],
            "retry": None if remedy(family, code) else _retry(directory, family, code),
            "remedy": remedy(family, code),
        }
        for (family, code, optional), found in sorted(groups.items(), key=lambda kv: (-len(kv[1]), kv[0]))
    ]


def _retry(directory: str, family: str, code: str) -> str:
    """The command that tries these rows again."""
    return shlex.join(["speechcraft", "retry", directory, "--annotator", family, "--code", code])


def _print(facts: Mapping[str, Any], few: int | None) -> None:
    console = Console()
    console.print(f"{shown(facts['run'])}  from {shown(facts['source'])}", highlight=False)
    table = named_table("annotator")
    table.add_column("shards done")
    for name, (count, of) in facts["cut"].items():
        said = f"{count:,} of {of:,} looked through for utterances" if of else "nothing to cut"
        table.add_row(name, said, style=None if count == of else "yellow")
    for name, count in facts["annotators"].items():
        table.add_row(
            name, f"{count:,} of {facts['shards']:,}", style=None if count == facts["shards"] else "yellow"
        )
    console.print(table)
    _print_progress(facts, console)
    for cause in facts["failures"]:
        _print_cause(cause, few, console)
    for failure in facts["given_up"]:
        console.print(
            f"shard {failure['shard']} was given up after {failure['attempts']} attempts: "
            f"{shown(failure['reason'])}",
            style="yellow",
        )
    if facts["given_up"]:
        console.print("Run the same annotate command again, or retry, to try given-up shards once more.")
    if facts["costs"]:
        console.print(f"\nCost of {counted(facts['calls'], 'call')}:")
        console.print(cost_table(facts["costs"]))
        console.print(loading(facts["costs"]), style="dim", highlight=False)


def _print_progress(facts: Mapping[str, Any], console: Console) -> None:
    if running := facts["running"]:
        _print_running(running, console)
    if not facts["shards"]:
        console.print("No shards yet: the source is read, or its recordings are cut into utterances.")
    elif facts["to_be_computed_again"]:
        count = counted(facts["to_be_computed_again"], "sidecar")
        console.print(f"Of {count} some rows are to be computed again: retry, or the same annotate command.")
    elif not facts["finished"] and not (running and running["life"] == "running"):
        console.print(
            f"Of {facts['clips']:,} clips not all are annotated: the same annotate command goes on."
        )
    if d := facts["dataset"]:
        console.print(
            f"Dataset{'' if facts['finished'] else ' of an earlier call'}: "
            f"{d['clips']:,} clips, {d['ok']:,} ok, {d['failed']:,} failed."
        )
        for text in assumptions(d["assumed_language"]):
            console.print(text, style="yellow", highlight=False)


def _print_running(running: Mapping[str, Any], console: Console) -> None:
    where = f"{shown(running['command'])} since {running['started']} on {shown(running['host'])}"
    pools = ", ".join(f"{shown(p)} {n:,} of {of:,} shards" for p, (n, of) in running["pools"].items())
    flights = len(running["in_flight"])
    if running["life"] == "running":
        what = f"{shown(running['doing'])}: {pools}" if pools else shown(running["doing"])
        age = f"as of {running['silent_s']:,.0f} s ago"
        console.print(
            f"[green]Running[/]: {where}; {what}; {counted(flights, 'task')} in flight, {age}.",
            highlight=False,
        )
        for away in running["away"]:
            console.print(f"[yellow]Waiting[/]: {shown(waiting(away))}", highlight=False)
    else:
        known = "its process is gone" if running["life"] == "dead" else "it may be cut off"
        console.print(
            f"[yellow]Stale[/]: {where} has said nothing for {running['silent_s']:,.0f} s; {known}.",
            highlight=False,
        )


def _print_cause(cause: Mapping[str, Any], few: int | None, console: Console) -> None:
    rows = cause["rows"]
    mark = " (optional)" if cause["optional"] else ""
    console.print(
        f"[red]{cause['clips']:>6,}[/]  {shown(cause['annotator'])}: {shown(cause['code'])}{mark}  "
        f"[dim]e.g. {shown(rows[0]['clip'])}: {shown(rows[0]['reason'])}[/]",
        highlight=False,
    )
    clips = [shown(row["clip"]) for row in rows]
    shards = [str(number) for number in cause["shards"]]
    _indented(f"shards {_some(shards, few)}; clips {_some(clips, few)}", console)
    if cause["retry"]:  # on one line, to be copied
        console.print(f"        [dim]{shown(cause['retry'])}[/]", highlight=False, soft_wrap=True)
    else:
        _indented(f"[dim]{shown(cause['remedy'])}[/]", console)


def _indented(text: str, console: Console) -> None:
    console.print(Padding(text, (0, 0, 0, 8), expand=False), highlight=False)


def _some(names: Sequence[str], few: int | None) -> str:
    text = ", ".join(names[:few])
    more = 0 if few is None else len(names) - few
    return f"{text} and {more:,} more" if more > 0 else text
