"""What the source says stands as it says it, and what it does not say is skipped."""

from __future__ import annotations

import pytest

from annotators.emotion.given import GivenAnnotator as GivenEmotion
from annotators.emphasis.given import GivenAnnotator as GivenEmphasis
from pipeline.annotator import Skip
from pipeline.clip import Given
from pipeline.rows import Emotion, Emphasis, Language, Transcript
from tests.make import clip_of


@pytest.mark.parametrize(("said", "emotion"), [("happiness", "happy"), ("ANGRY", "angry"), ("难过", "sad")])
def test_a_given_emotion_is_a_class(said: str, emotion: str) -> None:
    [outcome] = GivenEmotion().annotate([clip_of(given=Given(emotion=said))])
    assert isinstance(outcome, Emotion)
    assert (outcome.emotion, outcome.emotion_source) == (emotion, "given")


@pytest.mark.parametrize("said", [None, "", "blue"])
def test_an_emotion_nobody_knows_is_skipped(said: str | None) -> None:
    [outcome] = GivenEmotion().annotate([clip_of(given=Given(emotion=said))])
    assert isinstance(outcome, Skip)


@pytest.mark.parametrize(
    ("text", "word", "found", "index"),
    [
        ("I want the red book.", "RED", "red", 3),
        ("Well, well.", "well", "well", None),
        ("I want the book.", "red", "red", None),
    ],
)
def test_a_given_stress_is_placed_where_its_word_stands_once(
    text: str, word: str, found: str, index: int | None
) -> None:
    rows = [Transcript(text, text, "given", None), Language("en", "given", None)]
    [outcome] = GivenEmphasis().annotate([clip_of(given=Given(emphasis_word=word), rows=rows)])
    assert outcome == Emphasis(found, index, "given", None)


def test_without_a_given_stress_there_is_a_skip() -> None:
    [outcome] = GivenEmphasis().annotate([clip_of()])
    assert isinstance(outcome, Skip)
