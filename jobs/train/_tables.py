"""The tables that training ends with: the statistics and intervals of `speechcraft evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.evaluate.classification import FIGURES as CLASS_FIGURES
from jobs.evaluate.statistics import MEAN, Statistic, interval, value
from jobs.evaluate.tally import FEWEST_SPEAKERS

STATISTICS = {figure.name: figure.statistic for figure in CLASS_FIGURES}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a figure over some clips. `low` and `high`: 95 %.

    `drawn`: `speakers`, whole, or `clips` where speakers are fewer than FEWEST_SPEAKERS.
    """

    part: str
    figure: str
    value: float | None
    low: float | None
    high: float | None
    n_clips: int
    n_speakers: int
    drawn: str


def line(
    part: str,
    figure: str,
    points: npt.NDArray[np.float64],
    speakers: Sequence[str],
    statistic: Statistic = MEAN,
) -> Line:
    """The figure of points (one each clip), with its interval."""
    names = sorted(set(speakers))
    few = len(names) < FEWEST_SPEAKERS
    clusters = np.array([i if few else names.index(s) for i, s in enumerate(speakers)], np.intp)
    low, high = (interval(statistic, points, clusters) if len(points) else None) or (None, None)
    found = value(statistic, points) if len(points) else None
    return Line(part, figure, found, low, high, len(points), len(names), "clips" if few else "speakers")


def table(title: str, lines: Sequence[Line]) -> str:
    """Lines as a Markdown table."""
    head = [
        "| part | figure | value | 95 % interval | clips | speakers | drawn |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([f"## {title}", "", *head, *(_row(one) for one in lines), ""])


def confusion(title: str, classes: Sequence[str], pairs: Sequence[tuple[str, str | None]]) -> str:
    """Clips by what they are (rows) and what they are called, None being nothing, as a Markdown table."""
    called = (*classes, None)
    head = [
        f"| {title} | {' | '.join(c or 'nothing' for c in called)} |",
        "|---|" + "---|" * len(called),
    ]
    rows = [f"| {is_} | {' | '.join(str(pairs.count((is_, c))) for c in called)} |" for is_ in classes]
    return "\n".join([*head, *rows, ""])


def _row(one: Line) -> str:
    span = "" if one.low is None or one.high is None else f"{one.low:.3f} .. {one.high:.3f}"
    shown = "" if one.value is None else f"{one.value:.3f}"
    return (
        f"| {one.part} | {one.figure} | {shown} | {span} | {one.n_clips} | {one.n_speakers} | {one.drawn} |"
    )
