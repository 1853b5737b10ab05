"""`speechcraft status`."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.output import emit, shown
from jobs.runs import Run
from pipeline.join import INDEX
from pipeline.rundir import FAILURES


def run(directory: str, *, as_json: bool) -> None:
    """Say what is done, what failed and why."""
    facts = facts_of(Run.open(directory))
    if as_json:
        emit(facts)
    else:
        _print(facts)


def facts_of(run: Run) -> dict[str, Any]:
    """Shards done per annotator, failures by cause, shards given up."""
    total = len(run.shards)
    dataset = json.loads(run.store.read(INDEX)) if run.store.exists(INDEX) else {}
    done = {f"{w.family}-{w.name}": sum(s.sidecar(w.key) in run.names for s in run.shards) for w in run.ways}
    failures = [json.loads(run.store.read(n)) for n in sorted(run.names) if n.startswith(f"{FAILURES}/")]
    return {
        "run": run.store.url,
        "source": run.record["source"],
        "shards": total,
        "clips": sum(s.clips for s in run.shards),
        "annotators": done,
        "finished": bool(dataset) and min(done.values()) + len(failures) >= total > 0,
        "given_up": failures,
        "dataset": {k: dataset[k] for k in ("clips", "ok", "failed", "seconds", "causes", "examples")}
        if dataset
        else None,
    }


def _print(facts: dict[str, Any]) -> None:
    console = Console()
    console.print(f"{shown(facts['run'])}  from {shown(facts['source'])}", highlight=False)
    table = Table("annotator", "shards done", box=None, header_style="bold")
    for name, done in facts["annotators"].items():
        table.add_row(
            name, f"{done:,} of {facts['shards']:,}", style=None if done == facts["shards"] else "yellow"
        )
    console.print(table)
    if not facts["shards"]:
        console.print("No shards yet: the source is read, or its recordings are cut into utterances.")
    elif not facts["finished"]:
        console.print(
            f"Of {facts['clips']:,} clips not all are annotated: the same annotate command goes on."
        )
    if d := facts["dataset"]:
        console.print(
            f"Dataset{'' if facts['finished'] else ' of an earlier call'}: "
            f"{d['clips']:,} clips, {d['ok']:,} ok, {d['failed']:,} failed."
        )
        for cause, count in sorted(d["causes"].items(), key=lambda kv: -kv[1]):
            example = shown(d["examples"].get(cause, ""))
            console.print(f"  {count:>6,}  {shown(cause)}  [dim]e.g. {example}[/]", highlight=False)
    for failure in facts["given_up"]:
        console.print(
            f"shard {failure['shard']} was given up after {failure['attempts']} attempts: "
            f"{shown(failure['reason'])}",
            style="yellow",
        )
    if facts["given_up"]:
        console.print("Run the same annotate command again to try given-up shards once more.")
