"""What a training came to: for machines in report.json, for people on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from jobs.captions.render import NAMES
from jobs.output import shown

PAPER = {
    "en": {"omission": 1.95, "distortion": 7.5},
    "zh": {"omission": 3.88, "distortion": 6.14},
}
"""The fine-tuned LLaMA 2 and Baichuan 2 of SpeechCraft, Table 3, in percent."""
PAPER_PLACES = {"start": 5.55, "middle": 33.05, "end": 61.40}
"""Where the words stand in the instructions of SpeechCraft, section 4.3, in percent."""


def terminal(record: Mapping[str, Any]) -> RenderableType:
    """The report as rich text."""
    loss, data = record["loss"], record["data"]
    parts: list[RenderableType] = [
        f"adapter: {shown(record['adapter'])}",
        f"held-out loss: [bold]{loss['adapter']:.4f}[/] nats per token, without the adapter "
        f"{loss['base']:.4f} ({data['held_out']['pairs']} pairs, {loss['tokens']:,} tokens of answers)",
        f"trained on {data['rows']:,} chats of {sum(data['training'].values()):,} pairs "
        f"({_counts(data['training'])}); {data['too_long']} too long",
        f"kept out by the check: {_counts(data['rejected']) or 'none'}",
    ]
    if record["generated"] is not None:
        parts += ["", _generated(record["generated"])]
    return Group(*parts)


def _generated(generated: Mapping[str, Any]) -> Table:
    """The model's own answers beside the paper's."""
    found = generated["captions"]["languages"]
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(f"{generated['asked']} answers, greedy")
    for name in (*NAMES.values(), *(f"paper, {name}" for name in NAMES.values())):
        table.add_column(name, justify="right")
    unreadable = generated["unreadable"]
    table.add_row("answers", *(str(generated["languages"].get(c, 0)) for c in NAMES), "", "")
    table.add_row("unreadable", *(str(unreadable.get(c, 0)) for c in NAMES), "", "")
    for kind in ("omission", "distortion"):
        table.add_row(kind, *(_rate(found, c, kind) for c in NAMES), *(f"{PAPER[c][kind]} %" for c in NAMES))
    table.add_row("sound clips", *(_sound(generated, c) for c in NAMES), "", "")
    table.add_row("length of a description", *(_length(found, c) for c in NAMES), "", "")
    for place, paper in PAPER_PLACES.items():
        table.add_row(f"the words: {place}", *(_place(found, c, place) for c in NAMES), f"{paper:.2f} %", "")
    others = sorted({k for f in found.values() for k in f["rates"]} - {"omission", "distortion"})
    for kind in others:
        table.add_row(kind, *(_rate(found, c, kind) for c in NAMES), "", "")
    return table


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items())


def _rate(found: Mapping[str, Any], language: str, kind: str) -> str:
    return f"{100 * found[language]['rates'].get(kind, 0.0):.2f} %" if language in found else "-"


def _sound(generated: Mapping[str, Any], language: str) -> str:
    asked = generated["languages"].get(language, 0)
    return f"{100 * generated['sound'].get(language, 0) / asked:.2f} %" if asked else "-"


def _length(found: Mapping[str, Any], language: str) -> str:
    """Fifth, fiftieth and ninety-fifth percentile."""
    lengths = found.get(language, {}).get("lengths", {}).get("description")
    return f"{lengths['p5']} {lengths['median']} {lengths['p95']}" if lengths else "-"


def _place(found: Mapping[str, Any], language: str, place: str) -> str:
    places = found.get(language, {}).get("places", {})
    total = sum(places.values())
    return f"{100 * places.get(place, 0) / total:.2f} %" if total else "-"
