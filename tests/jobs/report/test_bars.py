"""Every part of a bar is told: in it where it fits, else beside it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.report.bars import LETTER_PX, NARROWEST_PX, Part, Split


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=3).filter(any))
def test_every_part_is_told_and_what_stands_in_the_bar_fits(counts: list[int]) -> None:
    shares = [100 * n / sum(counts) for n in counts]
    parts = tuple(map(Part, ("low", "normal", "high"), shares))
    row = Split("female", sum(counts), parts)
    for part in parts:
        assert len(part.inside) * LETTER_PX <= part.share / 100 * NARROWEST_PX
        assert (part.inside == part.text) != (part.text in row.beside.split(" · ")) or not part.share


def test_a_narrow_part_has_its_figure_beside_the_bar() -> None:
    row = Split("male", 50, (Part("low", 8.0), Part("normal", 22.0), Part("high", 70.0)))
    assert [part.inside for part in row.parts] == ["", "22 %", "high 70 %"]
    assert row.beside == "low 8 % · normal 22 %"
