"""`speechcraft show`."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict
from itertools import accumulate, groupby
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Column, Table

from jobs.output import emit, shown
from jobs.runs import Run, RunWay
from pipeline import sidecar
from pipeline.clip import Absent
from pipeline.counting import counted
from pipeline.join import INDEX
from pipeline.manifest import read_ids
from pipeline.rows import Row
from pipeline.rundir import Shard
from pipeline.schema import columns_of

MOST_CHARACTERS, FEW_CHARACTERS = 600, 160
"""Of a text and of a list that are printed: three lines at 80 columns."""
LABELS = (
    "gender",
    "age_group",
    "pitch_label",
    "energy_label",
    "speed_label",
    "emotion",
    "emphasis_word",
    "topic",
)


def run(directory: str, clip_id: str, rows: int, *, as_json: bool) -> None:
    """One clip, or a table of clips."""
    opened = Run.open(directory)
    if clip_id:
        facts = clip_facts(opened, clip_id)
        emit(facts) if as_json else _print_clip(facts)
        return
    table = table_facts(opened, rows)
    emit(table) if as_json else _print_table(table, opened)


def clip_facts(run: Run, clip_id: str) -> dict[str, Any]:
    """Every column of a clip with unit, value and the annotator it came from."""
    shard, i, item = run.find(clip_id)
    columns: list[dict[str, Any]] = []
    for way in run.ways:
        columns += _columns(run, shard, way, i)
    given = {k: v for k, v in asdict(item.given).items() if v is not None}
    return {
        "id": item.id,
        "audio": asdict(item.audio),
        "given": given,
        "shard": shard.index,
        "columns": columns,
    }


def table_facts(run: Run, rows: int) -> list[dict[str, Any]]:
    """What a person looks at first, of so many clips from the first to the last of the run."""
    ends = list(accumulate(shard.clips for shard in run.shards))
    numbers = _spread(ends[-1] if ends else 0, rows)
    facts: list[dict[str, Any]] = []
    for place, some in groupby(numbers, lambda number: bisect_right(ends, number)):
        lines = _lines(run, run.shards[place])
        facts += [lines[number - ends[place]] for number in some]
    wanted = ("id", "transcript", "transcript_source", *LABELS, "description", "instruction", "error")
    return [{name: f.get(name) for name in wanted} for f in facts]


def _spread(clips: int, rows: int) -> list[int]:
    """So many places, as evenly apart as can be; all where there are no more."""
    if clips <= rows:
        return list(range(clips))
    return [i * (clips - 1) // max(1, rows - 1) for i in range(rows)]


def _lines(run: Run, shard: Shard) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [{"id": id} for id in read_ids(run.store, shard)]
    for way in run.ways:
        for line, row in zip(lines, run.rows(shard, way), strict=True):
            if isinstance(row, Row):
                line.update({c.name: getattr(row, c.name) for c in columns_of(way.row)})
            elif row.status == sidecar.FAILED:
                line.setdefault("error", f"{way.family}: {row.error}")
    return lines


def _columns(run: Run, shard: Shard, way: RunWay, i: int) -> list[dict[str, Any]]:
    row = run.rows(shard, way)[i]
    source = f"{way.family}-{way.name}"
    infos = columns_of(way.row)
    if isinstance(row, Absent):
        why = f"{row.status}: {row.error}"
        return [{"column": c.name, "unit": "", "value": None, "from": source, "why": why} for c in infos]
    return [
        {"column": c.name, "unit": c.column.unit, "value": _plain(getattr(row, c.name)), "from": source}
        for c in infos
    ]


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return f"{len(value)} values"
    if isinstance(value, tuple):
        return [asdict(v) if hasattr(v, "__dataclass_fields__") else v for v in value]
    return value


def _print_clip(facts: dict[str, Any]) -> None:
    console = Console()
    console.print(f"[bold]{shown(facts['id'])}[/]  {shown(facts['audio']['url'])}", highlight=False)
    for name, value in facts["given"].items():
        console.print(f"  given {name}: {shown(_short(value))}", highlight=False)
    table = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
    for source, columns in groupby(facts["columns"], lambda c: c["from"]):
        _add_group(table, source, list(columns))
    console.print(table)
    console.print("--json has every column, its unit, and the lists whole.", style="dim")


def _add_group(table: Table, source: str, columns: list[dict[str, Any]]) -> None:
    """What an annotator found, a line a column; what it did not find is counted."""
    filled = [c for c in columns if c["value"] is not None]
    said = shown(columns[0]["why"]) if "why" in columns[0] else ""
    if not said and len(filled) < len(columns):
        said = f"{len(columns) - len(filled)} of {len(columns)} columns are null"
    table.add_row(f"[bold]{shown(source)}[/]", f"[dim]{said}[/]")
    for c in filled:
        table.add_row(f"  {c['column']}", shown(" ".join(filter(None, (_short(c["value"]), c["unit"])))))


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return _cut(value)
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def _cut(pieces: list[Any]) -> str:
    """The first of a list, as many as fit a few lines, and how many more there are."""
    told = [_timed(piece) if isinstance(piece, dict) else _short(piece) for piece in pieces]
    ends = list(accumulate(len(text) + 2 for text in told))
    fit = max(1, bisect_right(ends, FEW_CHARACTERS))
    more = f", and {len(told) - fit:,} more" if fit < len(told) else ""
    return ", ".join(told[:fit]) + more or "none"


def _timed(piece: dict[str, Any]) -> str:
    """A word, a phone, a span or a score, in the order of its fields: text as it is, times to 10 ms."""
    name = piece.get("word") or piece.get("phone")
    if name is None or "start_s" not in piece:
        return " ".join(_short(v) for v in piece.values())
    return f"{name} {piece['start_s']:.2f}-{piece['end_s']:.2f}"


def _print_table(table: list[dict[str, Any]], run: Run) -> None:
    console = Console(highlight=False)
    for f in table:
        console.print(f"[bold]{shown(f['id'])}[/]")
        view = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
        for name, text in _texts(f):
            view.add_row(f" [dim]{name}[/]", text)
        console.print(view)
    root, clips = shown(run.store.url.rstrip("/")), sum(shard.clips for shard in run.shards)
    if len(table) < clips:
        said = f"{len(table):,} of {clips:,} clips, from the first to the last. More: --rows {clips}"
    else:
        said = counted(clips, "clip")
    console.print(f"{said}; one with all that was found: speechcraft show {root} CLIP")
    dataset = f"{root}/dataset" if run.store.exists(INDEX) else "none yet"
    console.print(f"Dataset: {dataset}")


def _labels(f: dict[str, Any]) -> str:
    """Those that there are, in a line: the measures by name, the rest by itself."""
    names = {
        "pitch_label": "pitch",
        "energy_label": "energy",
        "speed_label": "speed",
        "emotion": "emotion",
        "emphasis_word": "stress",
        "topic": "topic",
    }
    told = [f"{names[k]} {shown(f[k])}" if k in names else shown(f[k]) for k in LABELS if f[k] is not None]
    return ", ".join(told) or "[dim]none[/]"


def _texts(f: dict[str, Any]) -> list[tuple[str, str]]:
    """What was said, how, and the captions, or why there are none; each with its name."""
    said = "[dim]none[/]"
    if f["transcript"] is not None:
        said = f"{shown(_short(f['transcript']))} [dim]({shown(f['transcript_source'])})[/]"
    texts = [("transcript", said), ("labels", _labels(f))]
    if f["description"] is None:
        return [*texts, ("captions", f"[red]{shown(f['error'] or 'none')}[/]")]
    return texts + [(n, shown(_short(f[n]))) for n in ("description", "instruction") if f[n]]
