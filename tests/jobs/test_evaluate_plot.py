"""A plot of figures: a panel for each unit, with an axis that its values fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from matplotlib.figure import Figure

from jobs.evaluate.plot import draw
from jobs.evaluate.report import Report, Result, Some, Split, Table


def result(name: str, unit: str, value: float, spread: float = 0.0) -> Result:
    by_speaker = {"a": Split(value - spread, 1, 1), "b": Split(value + spread, 1, 1)}
    bounds = (value - spread / 2, value + spread / 2)
    return Result(name, unit, "", value, *bounds, 9, 9, 9, "clips", {"speaker": by_speaker})


def axes(path: Path, *results: Result) -> list[Any]:
    table = Table("f0", "Pitch", "", 9, 9, 0, {}, {}, results, None)
    with patch.object(Figure, "savefig", autospec=True) as saved:
        draw(Report(9, Some(0, ()), Some(0, ()), (table,)), path / "plot.png")
    return [axis for axis in saved.call_args.args[0].axes if axis.lines]


def test_every_figure_is_drawn_in_the_panel_of_its_unit(tmp_path: Path) -> None:
    figures = result("fine_error", "cents", 12.1), result("gross_error", "%", 0.2), result("r", "", 0.9)
    found = {axis.get_xlabel().split(", ")[0]: axis for axis in axes(tmp_path, *figures)}
    named = {unit: [t.get_text() for t in axis.get_yticklabels()] for unit, axis in found.items()}
    assert named == {"%": ["gross error"], "cents": ["fine error"], "95 % interval; pale: speakers": ["r"]}


@pytest.mark.parametrize(
    ("unit", "values"),
    [
        ("%", (0.07, 3.8)),
        ("%", (0.0, 100.0)),
        ("%", (-2.6, 5.2)),
        ("%", (20.0, 180.0)),
        ("%", (97.0, 99.5)),
        ("cents", (10.0, 14.5)),
        ("ms", (-30.0, 5.0)),
        ("", (0.98, 0.99)),
        ("years", (6.0, 6.0)),
    ],
)
def test_an_axis_holds_all_that_is_drawn_and_not_much_more(
    unit: str, values: tuple[float, ...], tmp_path: Path
) -> None:
    (axis,) = axes(tmp_path, *(result(f"f{i}", unit, v, 0.01) for i, v in enumerate(values)))
    low, high = axis.get_xlim()
    drawn = [x for line in axis.lines for x in line.get_xdata()]
    assert low < min(drawn) <= max(drawn) < high
    assert high - low < 2.5 * max(max(drawn) - min(drawn), 0.02)
