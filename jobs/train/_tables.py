"""The tables that training ends with: the statistics of `speechcraft evaluate`, drawn by speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.evaluate.classification import FIGURES as CLASS_FIGURES
from jobs.evaluate.statistics import MEAN, Statistic, interval, value

STATISTICS = {figure.name: figure.statistic for figure in CLASS_FIGURES}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a figure over some clips. `low` and `high`: 95 %, whole speakers drawn."""

    part: str
    figure: str
    value: float | None
    low: float | None
    high: float | None
    n_clips: int
    n_speakers: int


def line(
    part: str,
    figure: str,
    points: npt.NDArray[np.float64],
    speakers: Sequence[str],
    statistic: Statistic = MEAN,
) -> Line:
    """The figure of points (one each clip), with its interval."""
    names = sorted(set(speakers))
    clusters = np.array([names.index(s) for s in speakers], np.intp)
    low, high = (interval(statistic, points, clusters) if len(points) else None) or (None, None)
    found = value(statistic, points) if len(points) else None
    return Line(part, figure, found, low, high, len(points), len(names))


def table(title: str, lines: Sequence[Line]) -> str:
    """Lines as a Markdown table."""
    head = ["| part | figure | value | 95 % interval | clips | speakers |", "|---|---|---|---|---|---|"]
    return "\n".join([f"## {title}", "", *head, *(_row(one) for one in lines), ""])


def _row(one: Line) -> str:
    span = "" if one.low is None or one.high is None else f"{one.low:.3f} .. {one.high:.3f}"
    shown = "" if one.value is None else f"{one.value:.3f}"
    return f"| {one.part} | {one.figure} | {shown} | {span} | {one.n_clips} | {one.n_speakers} |"
