"""Word clouds of descriptions, as Figure 3 of the SpeechCraft paper has them: the 300 commonest words.

Words are text, each squeezed to the width it was laid out with, so that whatever font shows them they
do not meet.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import rjieba
from markupsafe import Markup

from jobs.pages import harmless
from jobs.report.bars import ranked
from jobs.report.plots.style import COLOURS, Plot, inline, library
from pipeline.text import words

MOST_WORDS = 300
WIDTH, HEIGHT = 720, 380
LOUD, PLAIN = 12, 60
"""The commonest words stand out, so many after them are in ink, the rest are pale."""
_SEED = 1
_LATIN_FONT = "DejaVu Sans"
_CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)
"""Of these the first that is installed draws Chinese."""
_STOP_ZH = frozenset(Path(__file__).with_name("stop-zh.txt").read_text("utf-8").split())
_STOP_EN = frozenset({"s", "whose", "whom", "also", "one"})
"""Beside those that wordcloud brings."""
_TEXT = (
    '<text x="{}" y="{}" font-size="{}" fill="{}" textLength="{:.0f}" '
    'lengthAdjust="spacingAndGlyphs">{}</text>'
)
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" '
    'font-family="sans-serif">{2}</svg>'
)


def counted(texts: Iterable[str], language: str) -> Counter[str]:
    """The words of texts, without those that every text has."""
    if language == "zh":
        return Counter(w for text in texts for w in rjieba.cut(text) if w not in _STOP_ZH and words(w))
    stop = library("wordcloud").STOPWORDS | _STOP_EN
    found = (w.casefold() for text in texts for w in words(text))
    return Counter(w for w in found if w not in stop and not w.isdigit() and len(w) > 1)


def draw(counts: Mapping[str, int], language: str, name: str) -> Plot | None:
    """The cloud; None without words, or where no font here can show them."""
    font = chinese_font() if language == "zh" else _latin_font()
    if not counts or font is None:
        return None
    most = [(harmless(word), n) for word, n in ranked(counts)[:MOST_WORDS]]
    cloud = _laid_out(most, font)
    svg = _svg(cloud, font)
    png = io.BytesIO()
    cloud.to_image().save(png, format="PNG")
    listed = ", ".join(f"{word} ({n:,})" for word, n in most[:LOUD])
    plot = f"words-{language}"
    return Plot(
        name=plot,
        title=f"Words, {name}",
        what="of descriptions, by how often they stand",
        alt=f"Word cloud of {name} descriptions; the commonest words: {listed}.",
        inline=inline(svg, plot),
        svg=svg.encode(),
        png=png.getvalue(),
    )


@cache
def chinese_font() -> str | None:
    """The file of an installed font with Chinese characters; None where there is none."""
    fonts = library("matplotlib.font_manager").fontManager.ttflist
    found = {f.name: f.fname for f in sorted(fonts, key=lambda f: str(f.fname), reverse=True)}
    there = (str(found[name]) for name in _CJK_FONTS if name in found)
    return next((file for file in there if Path(file).exists()), None)


def _latin_font() -> str:
    return str(library("matplotlib.font_manager").findfont(_LATIN_FONT))


def _laid_out(most: list[tuple[str, int]], font: str) -> Any:
    ranks = {word: place for place, (word, _) in enumerate(most)}

    def colour(word: str, **_: object) -> str:
        return COLOURS["accent" if ranks[word] < LOUD else "ink" if ranks[word] < PLAIN else "muted"]

    cloud = library("wordcloud").WordCloud(
        font_path=font,
        width=WIDTH,
        height=HEIGHT,
        scale=2,
        margin=6,
        max_words=MOST_WORDS,
        prefer_horizontal=1.0,
        relative_scaling=0.45,
        min_font_size=11,
        max_font_size=84,
        background_color=COLOURS["surface"],
        random_state=_SEED,
        color_func=colour,
    )
    return cloud.generate_from_frequencies({word: float(n) for word, n in most})


def _svg(cloud: Any, font: str) -> str:
    fonts, texts = library("PIL.ImageFont"), []
    for (word, _), size, (top, left), _, colour in cloud.layout_:
        measured = fonts.truetype(font, size)
        x, y, _, _ = measured.getbbox(word, anchor="ls")  # the cloud lays out the ink, not the line
        width = measured.getlength(word)
        texts.append(Markup(_TEXT).format(left - x, top - y, size, colour, width, word))
    return Markup(_SVG).format(WIDTH, HEIGHT, Markup("\n").join(texts))
