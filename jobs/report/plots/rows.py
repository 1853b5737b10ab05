"""Histograms above each other on one axis: a row each, with its name on the left and a note on the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.report.plots.style import COLOURS

ROW_IN, BOTTOM_IN = 0.74, 0.42
DRAWN = 0.70
"""Of a row; the rest is for its name."""
LEFT, WIDTH = 0.035, 0.93
"""Of the figure."""


def height_in(rows: int) -> float:
    """Of a figure of so many rows."""
    return ROW_IN * rows + BOTTOM_IN


def axes(drawn: Any, rows: int, edges: npt.NDArray[np.float64], unit: str) -> Iterator[Any]:
    """An axis for each row, from the top; the last has the numbers and the unit."""
    height = height_in(rows)
    for i in range(rows):
        bottom = BOTTOM_IN + ROW_IN * (rows - 1 - i)
        axis = drawn.add_axes((LEFT, bottom / height, WIDTH, DRAWN * ROW_IN / height))
        last = i == rows - 1
        axis.set_xlim(edges[0], edges[-1])
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
        axis.tick_params(labelbottom=last, bottom=last)
        if last:
            axis.set_xlabel(unit, labelpad=1)
        yield axis


def histogram(axis: Any, counts: npt.NDArray[Any], edges: npt.NDArray[np.float64], colour: str) -> None:
    """As tall as its tallest bar."""
    share = counts / max(1, counts.max())
    axis.stairs(share, edges, fill=True, color=colour, alpha=0.38, linewidth=0)
    axis.stairs(share, edges, color=colour, linewidth=1.1)


def head(axis: Any, name: str, note: str, colour: str) -> None:
    """What stands above a row."""
    axis.spines["bottom"].set_color(colour)
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axis.annotate(name, (0, 1), (0, 2), color=colour, weight="bold", fontsize=7.5, **place)
    axis.annotate(note, (1, 1), (0, 2), color=COLOURS["muted"], ha="right", fontsize=7, **place)
