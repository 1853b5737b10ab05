"""How plots look, and how one becomes a file that is the same every time.

In the page colours are variables of its style sheet, so that a plot follows light and dark; in files they
are those of light.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UsageError

COLOURS = {
    "ink": "#1d2530",
    "muted": "#5b6675",
    "line": "#e2e5ea",
    "female": "#b4552d",
    "male": "#2b6c9e",
    "unknown": "#6b7683",
    "accent": "#0c7269",
    "second": "#8a6d1d",
    "surface": "#fffffe",
}
"""By the name of the variable in report.css; each a colour of its own, to be told apart in SVG."""
WIDTH_IN = 3.6
PNG_DPI = 200
FONT_PT = 8.0
_RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "speechcraft",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.family": "DejaVu Sans",
    "font.size": FONT_PT,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["muted"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "axes.linewidth": 0.8,
    "xtick.major.width": 0.8,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: `inline` stands in the page, `svg` and `png` are files. `alt` says what it shows."""

    name: str
    title: str
    what: str
    alt: str
    inline: str
    svg: bytes
    png: bytes


def library(name: str) -> Any:
    """A plotting library; UsageError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        raise UsageError(f"A report needs {package}: pip install 'speechcraft[report]'.") from error


@contextmanager
def figure(height_in: float, width_in: float = WIDTH_IN) -> Iterator[Any]:
    """An empty figure in the style of the house; to be finished inside the block."""
    matplotlib = library("matplotlib")
    figures = library("matplotlib.figure")
    with matplotlib.rc_context(_RC):
        yield figures.Figure(figsize=(width_in, height_in))


def finished(drawn: Any, name: str, title: str, what: str, alt: str) -> Plot:
    """The figure as a plot."""
    svg, png = io.BytesIO(), io.BytesIO()
    drawn.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn.savefig(png, format="png", dpi=PNG_DPI, facecolor=COLOURS["surface"], metadata={"Software": None})
    return Plot(name, title, what, alt, inline(svg.getvalue().decode(), name), svg.getvalue(), png.getvalue())


def inline(svg: str, name: str) -> str:
    """The SVG as part of a page: names of its own, colours and fonts of the page, no declarations."""
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"', "", text, count=3)
    text = re.sub(r'(<svg[^>]*?)\swidth="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?)\sheight="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font-family:[^;\"]*;?|(?<=font: )", "", text)
    text = re.sub(r"font: ((?:\d+ )?[\d.]+px) [^;\"]*", r"font-size: \1", text)
    for variable, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{variable})")
    return text.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
