"""The drawing of a clip: what is said stands under when it is said, and hostile words are words."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from jobs.pages import Figure, Spoken, data_url, drawing, figure_of
from pipeline.rows import Emphasis, Pitch, Word, Words
from tests.make import buzz, silence, tone


def words(*spoken: tuple[str, float, float]) -> Words:
    return Words(tuple(Word(w, s, e, 1, 1, "dictionary") for w, s, e in spoken), (), "test", 1.0)


def emphasis(index: int) -> Emphasis:
    return Emphasis("b", index, "given", None)


def pitch(*f0_hz: float, hop_s: float = 0.1) -> Pitch:
    return Pitch(200.0, 1.0, 190.0, 210.0, 1.0, hop_s, np.array(f0_hz, np.float32))


def elements(figure: Figure, kind: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(drawing(figure, "a clip"))
    return [e for e in root.iter() if kind in e.attrib.get("class", "").split()]


def test_the_level_is_that_of_the_sound() -> None:
    figure = figure_of(tone(1000.0, 1.0, peak=1.0), None, None, None)
    assert figure.level_dbfs[50] == pytest.approx(-3.01, abs=0.1)
    assert len(figure.level_dbfs) == 100
    assert max(figure.outline) == 1.0
    assert figure.duration_s == 1.0


def test_words_stand_in_order_under_their_times_and_do_not_meet() -> None:
    said = words(("one", 0.0, 0.2), ("extraordinarily", 0.2, 0.4), ("b", 0.4, 0.45), ("two", 0.5, 1.0))
    figure = figure_of(buzz(120.0, 1.0), None, said, emphasis(3))
    texts = elements(figure, "word")
    assert [t.text for t in texts] == ["one", "extraordinarily", "b", "two"]
    assert [t.text for t in elements(figure, "stress")] == ["two"]
    assert len(elements(figure, "stressed")) == 1
    starts = [(t.attrib["y"], float(t.attrib["x"])) for t in texts]
    assert len(set(starts)) == 4


def test_a_stressed_word_of_several_characters_is_marked_whole() -> None:
    said = words(*((c, i / 5, i / 5 + 0.2) for i, c in enumerate("我穷学生")))
    figure = figure_of(buzz(120.0, 1.0), None, said, Emphasis("穷学生", 1, "given", None))
    assert [w.word for w in figure.words if w.stressed] == ["穷", "学", "生"]
    inflected = figure_of(buzz(120.0, 1.0), None, said, Emphasis("穷人", 1, "given", None))
    assert [w.word for w in inflected.words if w.stressed] == ["穷"]


def test_f0_is_broken_where_nothing_is_voiced() -> None:
    figure = figure_of(buzz(200.0, 1.0), pitch(200, 200, 0, 0, 210, 220, 0, 0, 190, 190), None, None)
    assert len(elements(figure, "f0")) == 3


@pytest.mark.parametrize("samples", [silence(1.0), silence(0.001), tone(100.0, 0.02), buzz(100.0, 75.0)])
def test_any_sound_is_drawn(samples: np.ndarray) -> None:
    figure = figure_of(samples, pitch(0, 0), words(), None)
    assert len(elements(figure, "wave")) == 1
    assert "nan" not in drawing(figure, "")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_out_of_the_drawing(word: str, label: str) -> None:
    figure = figure_of(tone(200.0, 0.5), None, words((word, 0.0, 0.5)), emphasis(0))
    svg = drawing(figure, label.encode("utf-8", "replace").decode())
    assert svg.count("<text") == svg.count("</text>")
    assert "<script" not in svg.casefold()
    assert {e.tag for e in ElementTree.fromstring(drawing(figure, "x")).iter()} <= {
        "svg", "path", "rect", "text", "tspan", "line",
    }  # fmt: skip


def test_a_figure_of_nothing_is_drawn() -> None:
    empty = Figure(0.0, (), (), 0.0, (), 0.01, (Spoken("a", 0.0, 0.0, False),))
    assert drawing(empty, "").startswith("<svg")


def test_sound_in_a_page_is_the_sound() -> None:
    url = data_url(buzz(150.0, 2.0))
    kind, _, data = url.partition(",")
    assert kind == "data:audio/mpeg;base64"
    sound, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert len(sound) / rate_hz == pytest.approx(2.0, abs=0.1)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.1)
    assert len(url) < 16_000 * 2
