"""`speechcraft annotate --dry-run`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console

from jobs.costs import named_table
from jobs.foresee import Amount, Foreseen
from jobs.output import emit, shown
from pipeline.counting import counted


def tell(found: Foreseen, *, as_json: bool) -> None:
    """Say what would be computed."""
    if as_json:
        emit(facts_of(found))
    else:
        _print(found)


def facts_of(found: Foreseen) -> dict[str, Any]:
    """As JSON."""
    return {
        "total": asdict(found.total),
        "uncut": asdict(found.uncut),
        "shards": {name: asdict(getattr(found, name)) for name in ("new", "changed", "back", "gone")},
        "annotators": {
            name: [{"why": why, **asdict(amount)} for why, amount in amounts.items()]
            for name, amounts in found.work.items()
        },
    }


def _print(found: Foreseen) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if found.uncut.shards:
        console.print(
            f"Utterances are to be looked for in {counted(found.uncut.clips, 'recording')} first"
            f"{_hours(found.uncut)}: each counts as one clip here and may become several."
        )
    table = named_table("annotator")
    for name in ("shards", "clips", "hours"):
        table.add_column(name, justify="right")
    table.add_column("why", overflow="fold")
    for name, amounts in found.work.items():
        for why, amount in amounts.items():
            hours = f"{amount.seconds / 3600:,.2f}" if amount.seconds else "not known"
            table.add_row(name, f"{amount.shards:,}", f"{amount.clips:,}", hours, shown(why))
    if any(found.work.values()):
        console.print(table)
    if told := [f"{amount.shards:,} {what}" for what, amount in _fates(found) if amount.shards]:
        console.print(f"Shards: {', '.join(told)}.")
    total = f"{_of(found.total)}{_hours(found.total)}"
    idle = [name for name, amounts in found.work.items() if not amounts]
    if len(idle) == len(found.work) and not found.uncut.shards:
        console.print(f"{total}: all is done, nothing would be computed.")
    else:
        also = f" Nothing to do for: {', '.join(map(shown, idle))}." if idle else ""
        console.print(f"Of {total}.{also} Nothing was written.")


def _fates(found: Foreseen) -> list[tuple[str, Amount]]:
    return [
        ("new", found.new),
        ("changed", found.changed),
        ("back", found.back),
        ("gone with their clips", found.gone),
    ]


def _of(amount: Amount) -> str:
    return f"{counted(amount.clips, 'clip')} in {counted(amount.shards, 'shard')}"


def _hours(amount: Amount) -> str:
    return f" ({amount.seconds / 3600:,.2f} h of speech as far as is known)" if amount.seconds else ""
