"""A report as a picture: figures with their intervals, confusion, and confidence against accuracy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jobs.evaluate.render import number
from jobs.evaluate.report import Report, Result, Table
from pipeline.errors import UsageError

FORMATS = (".png", ".svg", ".pdf")
_WIDTH, _HEIGHT = 5.2, 3.6  # inches of a panel
_INK, _PALE, _ACCENT = "#22303c", "#c9d3dc", "#c2452d"


def draw(report: Report, path: Path) -> None:
    """Write the picture; UsageError where the ending is none of FORMATS or matplotlib is not installed."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"A plot is written as {', '.join(FORMATS)}, not as {path.name!r}.")
    try:
        figures: Any = importlib.import_module("matplotlib.figure")
    except ModuleNotFoundError as error:
        raise UsageError("Plots need matplotlib: pip install 'speechcraft[evaluate]'.") from error
    rows = [panels for table in report.tables if (panels := _panels(table))]
    if not rows:
        raise UsageError("There is nothing to plot: no figure could be measured.")
    n_columns = max(map(len, rows))
    figure = figures.Figure(figsize=(_WIDTH * n_columns, _HEIGHT * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), n_columns, squeeze=False)
    for axes, panels in zip(grid, rows, strict=True):
        for place, axis in enumerate(axes):
            if place < len(panels):
                panels[place](axis)
            else:
                axis.axis("off")
    figure.savefig(path, dpi=130)


def _panels(table: Table) -> list[Callable[[Any], None]]:
    """What there is to draw of a table: shares first, as they are the figures people ask for."""
    found: list[Callable[[Any], None]] = []
    units = dict.fromkeys(r.unit for r in table.results if r.value is not None)
    for unit in sorted(units, key=lambda unit: unit != "%"):
        found.append(partial(_figures, table=table, unit=unit))
    if table.confusion:
        found.append(lambda axis: _confusion(axis, table))
    if table.calibration:
        found.append(lambda axis: _calibration(axis, table))
    return found


def _figures(axis: Any, table: Table, unit: str) -> None:
    """Every figure in a unit: the value with its interval, and each speaker as a pale dot."""
    results = [r for r in table.results if r.unit == unit and r.value is not None][::-1]
    for at, result in enumerate(results):
        speakers = [s.value for s in result.splits.get("speaker", {}).values() if s.value is not None]
        axis.plot(speakers, [at] * len(speakers), "o", color=_PALE, markersize=4, zorder=1)
        if result.low is not None:
            axis.plot([result.low, result.high], [at, at], color=_INK, linewidth=2, zorder=2)
        axis.plot([result.value], [at], "D", color=_ACCENT, markersize=6, zorder=3)
        value = number(result.value, unit)
        axis.annotate(value, (result.value, at), (0, 6), textcoords="offset points", ha="center", fontsize=7)
    axis.set_yticks(range(len(results)), [r.name.replace("_", " ") for r in results])
    axis.set_ylim(-0.6, len(results) - 0.2)
    axis.set_xlim(*_reach(results, unit))
    axis.set_xlabel(", ".join(filter(None, (unit, "95 % interval; pale: speakers"))))
    axis.set_title(", ".join(filter(None, (table.title, unit.replace("%", "")))))


def _reach(results: Sequence[Result], unit: str) -> tuple[float, float]:
    """All that is drawn, from 0 where that is not far, and of shares to 100 where that is near."""
    drawn = [v for r in results for v in (r.value, r.low, r.high) if v is not None]
    speakers = (s for r in results for s in r.splits.get("speaker", {}).values())
    drawn += [s.value for s in speakers if s.value is not None]
    low, high = min(drawn), max(drawn)
    if unit == "%":
        low, high = (min(low, 0.0) if low < 50 else low), (max(high, 100.0) if high > 50 else high)
    elif 0 <= low <= high / 2:
        low = 0.0
    room = 0.06 * (high - low or abs(high) or 1.0)
    return low - room, high + room


def _confusion(axis: Any, table: Table) -> None:
    """Counts by truth and call, shaded by the share of the truth; classes that never occur are left out."""
    assert table.confusion is not None
    counts, names = table.confusion.counts, table.confusion.classes
    kept = [i for i in range(len(names)) if any(counts[i]) or any(line[i] for line in counts)]
    shares = [[counts[i][j] / max(1, sum(counts[i])) for j in kept] for i in kept]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, i in enumerate(kept):
        for x, j in enumerate(kept):
            colour = "white" if shares[y][x] > 0.5 else _INK
            axis.text(x, y, str(counts[i][j]), ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(kept)), [names[i] for i in kept], rotation=30, ha="right")
    axis.set_yticks(range(len(kept)), [names[i] for i in kept])
    axis.set_xlabel("called")
    axis.set_ylabel("truth")
    axis.set_title(f"{table.title}: truth and call")


def _calibration(axis: Any, table: Table) -> None:
    """Accuracy over confidence: on the diagonal a confidence means what it says."""
    most = max(b.n for b in table.calibration)
    sizes = [20 + 180 * b.n / most for b in table.calibration]
    axis.plot([0, 1], [0, 1], color=_PALE, linewidth=1)
    confidence, accuracy = ([getattr(b, n) for b in table.calibration] for n in ("confidence", "accuracy"))
    axis.scatter(confidence, accuracy, s=sizes, color=_ACCENT, alpha=0.8)
    axis.set_xlim(0, 1.05)
    axis.set_ylim(0, 1.05)
    axis.set_xlabel("confidence (area: clips)")
    axis.set_ylabel("accuracy")
    axis.set_title(f"{table.title}: calibration")
