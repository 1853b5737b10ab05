"""Word clouds hold the words of captions, not those every text has, and no two words meet."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jobs.report.plots import cloud

WORDS = Counter({f"word{chr(97 + i % 26)}{chr(97 + i // 26)}": 400 - i for i in range(120)})


def test_words_that_every_text_has_are_left_out() -> None:
    assert cloud.counted(["She speaks to the man, and the man's voice is HIGH."], "en") == Counter(
        {"speaks": 1, "man": 1, "man's": 1, "voice": 1, "high": 1}
    )
    assert cloud.counted(["这位女士的语速很快，音调高。"], "zh").keys() >= {"女士", "语速", "音调"}
    assert "的" not in cloud.counted(["这位女士的语速很快"], "zh")


def test_no_two_words_meet() -> None:
    plot = cloud.draw(WORDS, "en", "English")
    assert plot is not None
    inked = np.zeros((cloud.HEIGHT, cloud.WIDTH), int)
    texts = list(ElementTree.fromstring(plot.svg))
    for text in texts:
        font = ImageFont.truetype(cloud._latin_font(), float(text.attrib["font-size"]))
        sheet = Image.new("L", (cloud.WIDTH, cloud.HEIGHT))
        at = (float(text.attrib["x"]), float(text.attrib["y"]))
        ImageDraw.Draw(sheet).text(at, text.text or "", fill=255, font=font, anchor="ls")
        inked += np.asarray(sheet) > 128
    assert len(texts) > 60
    assert np.sum(inked == 1) > 10_000
    assert np.sum(inked > 1) == 0


def test_a_word_that_is_markup_is_text() -> None:
    plot = cloud.draw({"<script>alert(1)</script>": 3, "a&b": 2}, "en", "English")
    assert plot is not None
    assert "<script" not in plot.inline
    assert next(t.text for t in ElementTree.fromstring(plot.svg)) == "<script>alert(1)</script>"


def test_without_words_there_is_no_cloud() -> None:
    assert cloud.draw({}, "en", "English") is None
