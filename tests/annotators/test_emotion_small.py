"""The mood by the shipped networks: given values stand, the unsure is null, the scores are chances."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from annotators.emotion.small import CLASSES, FOREIGN, WEIGHTS, SmallAnnotator, judged
from annotators.pitch.dio import DioAnnotator
from jobs.train._corpora import read
from pipeline.clip import Clip, Given, Samples
from pipeline.errors import ClipError
from pipeline.options import resolve
from pipeline.rows import Emotion, Language
from tests.conftest import REAL_SPEECH
from tests.make import buzz, clip_of, noise, silence

ANGRY = [0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]


@pytest.fixture(scope="module")
def annotator() -> SmallAnnotator:
    return SmallAnnotator()


def clip(sound: Samples, **given: object) -> Clip:
    rows = DioAnnotator().annotate([clip_of(sound)])
    return clip_of(sound, given=Given(**given), rows=rows)  # type: ignore[arg-type]


def test_the_likeliest_class_is_given_where_it_is_likely_enough() -> None:
    row = judged(ANGRY, 0.6)
    assert (row.emotion, row.emotion_source, row.emotion_confidence) == ("angry", "small", 0.7)
    assert [s.label for s in row.emotion_scores] == list(CLASSES)


def test_under_the_threshold_the_class_is_null_and_the_scores_stay() -> None:
    row = judged(ANGRY, 0.71)
    assert (row.emotion, row.emotion_confidence) == (None, 0.7)
    assert row.emotion_scores[0].probability == 0.7


def test_boredom_is_some_other_mood() -> None:
    assert judged([0, 0.9, 0, 0, 0, 0.1, 0], 0.5).emotion == "other"


def test_the_scores_are_chances(annotator: SmallAnnotator) -> None:
    row = annotator.annotate([clip(buzz(150, 1.5) + noise(1.5))])[0]
    assert isinstance(row, Emotion)
    assert sum(s.probability for s in row.emotion_scores) == pytest.approx(1, abs=1e-5)
    assert row.emotion_confidence == max(s.probability for s in row.emotion_scores)


@pytest.mark.parametrize(("language", "named"), [("zh", False), ("en", True), ("de", True), (None, True)])
def test_in_a_language_that_taught_nothing_there_is_no_mood(language: str | None, named: bool) -> None:
    sound = buzz(150, 1.5) + noise(1.5)
    rows = [*DioAnnotator().annotate([clip_of(sound)]), Language(language, "given", None)]
    row = SmallAnnotator(min_confidence=0.0).annotate([clip_of(sound, rows=rows)])[0]
    assert isinstance(row, Emotion)
    assert (row.emotion is not None, row.emotion_source) == (named, "small" if named else FOREIGN)
    assert row.emotion_scores
    bold = SmallAnnotator(min_confidence=0.0, learnt_languages_only=False)
    row = bold.annotate([clip_of(sound, rows=rows)])[0]
    assert isinstance(row, Emotion)
    assert row.emotion is not None


def test_a_given_mood_stands(annotator: SmallAnnotator) -> None:
    row = annotator.annotate([clip_of(given=Given(emotion="anger"))])[0]
    assert row == Emotion("angry", "given", None, None)


@pytest.mark.parametrize(("sound", "code"), [(silence(1), "silent"), (buzz(150, 0.1), "too_short")])
def test_what_cannot_be_heard_says_why(annotator: SmallAnnotator, sound: Samples, code: str) -> None:
    outcome = annotator.annotate([clip(sound)])[0]
    assert isinstance(outcome, ClipError)
    assert outcome.code == code


def test_noise_and_clips_without_a_pitch_have_no_mood(annotator: SmallAnnotator) -> None:
    nothing = Emotion(None, "small", None, None)
    assert annotator.annotate([clip(noise(1.0)), clip_of(buzz(150, 1.0))]) == [nothing, nothing]


def test_a_batch_gives_what_each_clip_gives_alone_and_twice_the_same(annotator: SmallAnnotator) -> None:
    clips = [clip(s) for s in (buzz(110, 2.0), np.clip(4 * buzz(230, 0.7), -1, 1), buzz(180, 0.5))]
    together = annotator.annotate(clips)
    assert together == [annotator.annotate([one])[0] for one in clips]
    assert together == SmallAnnotator().annotate(clips)


def test_the_level_of_a_recording_moves_no_mood(annotator: SmallAnnotator) -> None:
    sound = buzz(150, 1.5) * np.repeat([1.0, 0.3, 0.8], 8000).astype(np.float32)
    loud, soft = annotator.annotate([clip(sound), clip(0.2 * sound)])
    assert isinstance(loud, Emotion)
    assert isinstance(soft, Emotion)
    for one, other in zip(loud.emotion_scores, soft.emotion_scores, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=0.05)


def test_the_threshold_is_an_option(annotator: SmallAnnotator) -> None:
    sound = buzz(150, 1.5) + noise(1.5)
    row = SmallAnnotator(min_confidence=0.0).annotate([clip(sound)])[0]
    assert isinstance(row, Emotion)
    assert row.emotion is not None
    row = SmallAnnotator(min_confidence=1.0).annotate([clip(sound)])[0]
    assert isinstance(row, Emotion)
    assert row.emotion is None


@pytest.mark.real
def test_reading_aloud_is_no_acted_mood(annotator: SmallAnnotator) -> None:
    rows = [
        row
        for utterance in read(Path(os.environ[REAL_SPEECH]), ["timit", "fda"])
        for row in annotator.annotate([clip(utterance.samples())])
        if isinstance(row, Emotion)
    ]
    assert sum(row.emotion not in (None, "neutral") for row in rows) <= 0.05 * len(rows)


def test_the_weights_are_the_projects_own_and_small() -> None:
    found = SmallAnnotator.models(resolve(SmallAnnotator, "emotion=small", {}))[0]
    assert (found.licence, found.commercial) == ("Apache-2.0", True)
    assert WEIGHTS.stat().st_size < 2_500_000
    assert WEIGHTS.with_suffix(".md").is_file()
