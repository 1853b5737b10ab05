"""Small pictures of measures: a row for each gender on one axis, thresholds dashed and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.report.columns import UNKNOWN
from jobs.report.panels import Mark, Panel
from jobs.report.plots.rows import axes, head, height_in, histogram
from jobs.report.plots.style import COLOURS, Plot, figure, finished
from pipeline.counting import counted

FEWEST_BINS, MOST_BINS = 14, 40
"""One set of them for all rows of a panel: more the more values the longest row has."""
OUTSIDE = 0.5
"""Percent of the values at either end that may lie beyond the axis; they are drawn at its end."""
NAME_ROOM = 0.26
"""Of all that is drawn, between its end and a threshold whose name stands there."""
TOP, MARK_TOP = 1.28, 1.2
"""Of the axis and of a threshold, where the tallest bar is 1."""


def draw(panel: Panel, genders: Sequence[str]) -> Plot:
    """The picture, with a row for each of these genders, so that pictures beside each other align.

    Clips of unknown gender have no row where none of them has a value.
    """
    low, high = _range(panel)
    most = max(map(len, panel.values.values()))
    edges = np.linspace(low, high, min(MOST_BINS, max(FEWEST_BINS, round(2 * most**0.5))) + 1)
    shown = [gender for gender in genders if gender != UNKNOWN or gender in panel.values]
    with figure(height_in(len(shown))) as drawn:
        for axis, gender in zip(axes(drawn, len(shown), edges, panel.unit), shown, strict=True):
            _row(axis, panel, gender, edges)
        return finished(drawn, panel.name, panel.title, panel.what, _told(panel))


def _range(panel: Panel) -> tuple[float, float]:
    """From nearly the least to nearly the greatest value, with room for the names of thresholds."""
    values = np.concatenate(list(panel.values.values()))
    low, high = np.percentile(values, (OUTSIDE, 100 - OUTSIDE))
    marks = [mark for one in panel.marks.values() for mark in one]
    under, over = ([m.at for m in marks if m.under], [m.at for m in marks if m.over])
    room = NAME_ROOM * (max([high, *over]) - min([low, *under]))
    low, high = min([low, *(at - room for at in under)]), max([high, *(at + room for at in over)])
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    edge = 0.04 * (high - low)
    floor = 0.0 if low >= 0 > low - edge else low - edge
    return float(floor), float(high + edge)


def _row(axis: Any, panel: Panel, gender: str, edges: npt.NDArray[np.float64]) -> None:
    values = panel.values.get(gender)
    axis.set_ylim(0, TOP)
    if values is None:
        head(axis, gender, "no value", COLOURS[gender])
        return
    note = f"median {_number(float(np.median(values)))} · {counted(len(values), 'clip')}"
    head(axis, gender, note, COLOURS[gender])
    inside = values.clip(edges[0], edges[-1])
    histogram(axis, np.histogram(inside, edges)[0], edges, COLOURS[gender])
    for mark in panel.marks.get(gender, ()):
        if edges[0] < mark.at < edges[-1]:
            _mark(axis, mark)


def _mark(axis: Any, mark: Mark) -> None:
    axis.plot([mark.at, mark.at], [0, MARK_TOP], color=COLOURS["ink"], linewidth=0.9, dashes=(3, 2))
    side = -1 if mark.under else 1
    axis.annotate(
        _named(mark),
        (mark.at, MARK_TOP),
        (2.5 * side, 0),
        textcoords="offset points",
        ha="right" if mark.under else "left",
        va="top",
        fontsize=6.8,
    )


def _named(mark: Mark) -> str:
    """`low < 190`, `high > 224`, or the number alone."""
    if mark.under:
        return f"{mark.under} < {_number(mark.at)}"
    return f"{mark.over} > {_number(mark.at)}" if mark.over else _number(mark.at)


def _told(panel: Panel) -> str:
    """The picture in words."""
    rows = []
    for gender, values in panel.values.items():
        low, middle, high = map(_number, np.percentile(values, (5, 50, 95)))
        marks = "".join(f"; {_named(mark)}" for mark in panel.marks.get(gender, ()))
        rows.append(
            f"{gender}: {counted(len(values), 'clip')}, median {middle}, 90 % from {low} to {high}{marks}"
        )
    head_ = f"Histogram of {panel.title.lower()} ({panel.what}, {panel.unit}) by gender."
    return f"{head_} {'. '.join(rows)}."


def _number(value: float) -> str:
    """Three figures, no exponent, a true minus."""
    digits = 0 if abs(value) >= 99.5 else 1 if abs(value) >= 9.95 else 2
    text = f"{value:,.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "\u2212")
