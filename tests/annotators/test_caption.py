"""The realiser as an annotator."""

from __future__ import annotations

import pytest

from annotators import load
from annotators.caption.realiser import RealiserAnnotator
from pipeline.clip import Clip
from pipeline.options import resolve
from pipeline.rows import Emotion, Emphasis, Labels, Language, Row, Speaker, Topic, Transcript
from tests.make import clip_of

LABELS = Labels("high", "female", "low", "fast", "teenager")
SPEAKER = Speaker("female", "given", None, None, None, None)
WORDS = Transcript("I went home", "I WENT HOME", "given", None)
FULL: tuple[Row, ...] = (
    Language("en", "given", None),
    WORDS,
    SPEAKER,
    Emotion("happy", "given", None, None),
    Emphasis("home", 2, "given", None),
    Topic("travel", "keywords"),
    LABELS,
)


def clip(*rows: Row, id: str = "clip") -> Clip:
    return clip_of(id=id, rows=rows)


def test_it_is_found_by_its_name() -> None:
    assert load("caption", "realiser") is RealiserAnnotator
    assert resolve(RealiserAnnotator, "caption", {}) == {"language": "auto", "seed": 0}


def test_every_attribute_of_the_rows_is_conveyed() -> None:
    (row,) = RealiserAnnotator().annotate([clip(*FULL)])
    assert sorted(row.caption_attributes) == sorted(
        ("gender", "age", "pitch", "energy", "speed", "emotion", "emphasis", "topic")
    )
    assert row.caption_source == "realiser"
    assert row.instruction is not None
    assert "I went home" in row.instruction


def test_a_clip_of_which_nothing_is_known_has_a_description_and_no_instruction() -> None:
    (row,) = RealiserAnnotator().annotate([clip()])
    assert row.description.endswith(".")
    assert row.instruction is None
    assert row.caption_attributes == ()
    assert row.caption_language == "en"


@pytest.mark.parametrize(
    ("option", "spoken", "written"),
    [
        ("auto", "zh", "zh"),
        ("auto", "de", "en"),
        ("auto", None, "en"),
        ("en", "zh", "en"),
        ("zh", "en", "zh"),
    ],
)
def test_captions_are_in_the_language_asked_for(option: str, spoken: str | None, written: str) -> None:
    annotator = RealiserAnnotator(language=option)  # type: ignore[arg-type]
    (row,) = annotator.annotate([clip(Language(spoken, None, None), LABELS)])
    assert row.caption_language == written
    assert row.description.isascii() is (written == "en")


def test_a_clip_reads_the_same_whatever_its_neighbours() -> None:
    clips = [clip(*FULL, id=f"clip-{i}") for i in range(20)]
    annotator = RealiserAnnotator(seed=3)
    assert annotator.annotate(clips) == [annotator.annotate([c])[0] for c in reversed(clips)][::-1]


def test_the_fingerprint_hangs_on_the_words() -> None:
    assert len(RealiserAnnotator.salt({})) == 64
