"""Text can be read on what it stands on, in light and dark; plots have the colours of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.report import page
from jobs.report.plots.style import COLOURS, library
from pipeline.errors import UsageError

CSS = (Path(page.__file__).parent / "report.css").read_text("utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in CSS.split("@media (prefers")[:2]
)
PAIRS = [
    *((text, back) for text in ("ink", "muted", "accent") for back in ("page", "surface")),
    *((text, "surface") for text in ("female", "male", "unknown", "second", "bad")),
    *(("ink", f"p{i}") for i in (1, 2, 3, 4)),
    ("bad", "bad-soft"),
    ("warn", "warn-soft"),
    ("stress-ink", "stress"),
]


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "back"), PAIRS)
def test_text_has_the_contrast_that_wcag_asks_for(scheme: dict[str, str], text: str, back: str) -> None:
    lights = sorted((luminance(scheme[text]), luminance(scheme[back])))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


def test_every_colour_of_a_plot_is_a_variable_of_the_page_and_no_two_are_equal() -> None:
    assert set(COLOURS) <= set(LIGHT)
    assert set(LIGHT) == set(DARK)
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_a_library_that_is_missing_is_named_with_the_way_to_install_it() -> None:
    with pytest.raises(UsageError, match=r"needs no_such_library: pip install 'speechcraft\[report\]'"):
        library("no_such_library.part")
