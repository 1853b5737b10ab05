"""`speechcraft annotate --dry-run`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console

from jobs.costs import named_table
from jobs.foresee import Amount, Foreseen
from jobs.output import emit, shown


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
        "annotators": {
            name: [{"why": why, **asdict(amount)} for why, amount in amounts.items()]
            for name, amounts in found.work.items()
        },
    }


def _print(found: Foreseen) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if found.uncut.shards:
        console.print(
            f"{found.uncut.clips:,} recordings{_hours(found.uncut)} are to be looked through for utterances "
            "first; the clips in them are not counted here."
        )
    table = named_table("annotator", found.work)
    for name in ("shards", "clips", "hours"):
        table.add_column(name, justify="right")
    table.add_column("why", overflow="fold")
    for name, amounts in found.work.items():
        for why, amount in amounts.items():
            hours = f"{amount.seconds / 3600:,.2f}" if amount.seconds else "not known"
            table.add_row(name, f"{amount.shards:,}", f"{amount.clips:,}", hours, shown(why))
    if any(found.work.values()):
        console.print(table)
    total = f"{found.total.clips:,} clips in {found.total.shards:,} shards{_hours(found.total)}"
    idle = [name for name, amounts in found.work.items() if not amounts]
    if len(idle) == len(found.work) and not found.uncut.shards:
        console.print(f"{total}: all is done, nothing would be computed.")
    else:
        console.print(
            f"Of {total}. Nothing to do for: {', '.join(map(shown, idle)) or 'none'}. Nothing was written."
        )


def _hours(amount: Amount) -> str:
    return f", {amount.seconds / 3600:,.2f} h of speech as far as is known," if amount.seconds else ""
