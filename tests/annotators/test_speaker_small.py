"""Gender and age by the shipped network: given values stand, the unsure is null, and the null says why."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from annotators.pitch.dio import DioAnnotator
from annotators.speaker.small import (
    CHILD,
    FOREIGN,
    GENDER_WEIGHTS,
    NO_CHILD,
    PAST,
    UNLIKE,
    UNSURE,
    WEIGHTS,
    YEARS,
    Opinion,
    SmallAnnotator,
    Sure,
    aged,
    answered,
    gender_of,
)
from jobs.train._corpora import read
from pipeline.clip import Clip, Given, Samples
from pipeline.errors import ClipError
from pipeline.options import resolve
from pipeline.rows import Speaker
from tests.conftest import REAL_SPEECH
from tests.make import buzz, clip_of, noise, silence

SURE = Sure(gender=0.7, child=0.6, age=0.5, strangeness=1.0)


@pytest.fixture(scope="module")
def annotator() -> SmallAnnotator:
    return SmallAnnotator()


def clip(sound: Samples, **given: object) -> Clip:
    rows = DioAnnotator().annotate([clip_of(sound)])
    return clip_of(sound, given=Given(**given), rows=rows)  # type: ignore[arg-type]


def ages(years: float, spread: float = 0.5) -> np.ndarray:
    chances = np.exp(-0.5 * ((YEARS - years) / spread) ** 2)
    return np.asarray(chances / chances.sum())


def test_the_likelier_gender_is_given() -> None:
    assert gender_of(0.9, 0.1, SURE) == ("female", "small")
    assert gender_of(0.1, 0.1, SURE) == ("male", "small")


def test_an_unsure_gender_is_null_and_says_so() -> None:
    assert gender_of(0.6, 0.1, SURE) == (None, UNSURE)
    assert gender_of(0.4, 0.1, SURE) == (None, UNSURE)


def test_the_voice_of_a_child_has_no_gender_however_sure() -> None:
    assert gender_of(0.99, 0.61, SURE) == (None, CHILD)
    assert gender_of(0.99, 0.6, SURE) == ("female", "small")


def test_the_age_is_the_median_and_its_confidence_that_of_its_group() -> None:
    row = aged(0.7 * ages(26) + 0.3 * ages(8), 0.5, SURE)
    assert row.age_years == pytest.approx(26, abs=1)
    assert row.age_confidence == pytest.approx(0.7, abs=0.01)
    assert row.age_source == "small"


@pytest.mark.parametrize(
    ("years", "strangeness", "spread", "reason"),
    [(42, 0.5, 0.5, PAST), (25, 1.5, 0.5, UNLIKE), (16, 0.5, 8.0, UNSURE)],
)
def test_an_age_that_cannot_be_supported_is_null_with_the_reason(
    years: float, strangeness: float, spread: float, reason: str
) -> None:
    row = aged(ages(years, spread), strangeness, SURE)
    assert (row.age_years, row.age_source) == (None, reason)


def hearsay(years: float, child: float, alike: float) -> Opinion:
    return Opinion(0.9, child, alike, ages(years), 0.5)


@pytest.mark.parametrize(
    ("child", "alike", "years", "source"),
    [(0.9, 0.6, 8.0, "small"), (0.5, 0.6, None, NO_CHILD), (0.9, 0.3, None, FOREIGN)],
)
def test_a_childs_age_takes_both_models_and_speech_like_that_of_the_children_who_taught(
    child: float, alike: float, years: float | None, source: str
) -> None:
    row = answered(hearsay(8, child, alike), Sure(young=0.8, alike=0.5))
    assert (row.age_years, row.age_source) == (years, source)
    assert row.child_probability == pytest.approx((child + 1) / 2)


def test_an_adults_age_does_not_ask_how_the_children_sounded() -> None:
    row = answered(hearsay(26, 0.1, -1.0), Sure())
    assert (row.age_years, row.age_source, row.gender) == (26.0, "small", "female")


def test_what_is_given_stands_attribute_by_attribute(annotator: SmallAnnotator) -> None:
    sound = buzz(120, 1.0) + noise(1.0)
    heard = annotator.annotate([clip(sound)])[0]
    assert isinstance(heard, Speaker)
    row = annotator.annotate([clip(sound, gender="female")])[0]
    assert isinstance(row, Speaker)
    assert (row.gender, row.gender_source, row.gender_confidence) == ("female", "given", None)
    assert (row.age_years, row.age_source) == (heard.age_years, heard.age_source)
    row = annotator.annotate([clip(sound, age_years=31.0)])[0]
    assert isinstance(row, Speaker)
    assert (row.age_years, row.age_source, row.age_confidence) == (31.0, "given", None)
    assert row.gender_confidence == heard.gender_confidence


def test_where_both_are_given_nothing_is_heard(annotator: SmallAnnotator) -> None:
    row = annotator.annotate([clip_of(given=Given(gender="male", age_years=50.0))])[0]
    assert row == Speaker("male", "given", None, 50.0, "given", None)


@pytest.mark.parametrize(("sound", "code"), [(silence(1), "silent"), (noise(0.02), "too_short")])
def test_what_cannot_be_heard_keeps_what_is_given(
    annotator: SmallAnnotator, sound: Samples, code: str
) -> None:
    nothing, given = annotator.annotate([clip(sound), clip(sound, gender="male")])
    assert isinstance(nothing, ClipError)
    assert nothing.code == code
    assert given == Speaker("male", "given", None, None, None, None)


def test_noise_has_no_speaker(annotator: SmallAnnotator) -> None:
    assert annotator.annotate([clip(noise(1.0))]) == [Speaker(None, None, None, None, None, None)]


def test_a_batch_gives_what_each_clip_gives_alone_and_twice_the_same(annotator: SmallAnnotator) -> None:
    clips = [clip(s) for s in (buzz(110, 2.0), np.clip(4 * buzz(230, 0.7), -1, 1), buzz(180, 0.25))]
    together = annotator.annotate(clips)
    assert together == [annotator.annotate([one])[0] for one in clips]
    assert together == SmallAnnotator().annotate(clips)


def test_without_a_pitch_it_still_answers(annotator: SmallAnnotator) -> None:
    row = annotator.annotate([clip_of(buzz(120, 1.0))])[0]
    assert isinstance(row, Speaker)
    assert row.gender_confidence is not None


def test_a_voice_unlike_any_has_no_age_unless_it_is_asked_for() -> None:
    bold = SmallAnnotator(familiar_only=False, min_age_confidence=0.0, min_child_probability=0.0)
    row = bold.annotate([clip(buzz(120, 1.0))])[0]
    assert isinstance(row, Speaker)
    assert row.age_source in ("small", PAST)


@pytest.mark.real
@pytest.mark.parametrize("corpus", ["fda", "timit", "vctk", "ljspeech"])
def test_grown_speakers_are_seldom_called_children(annotator: SmallAnnotator, corpus: str) -> None:
    said = [
        row.age_years is not None and row.age_years < 13
        for utterance in read(Path(os.environ[REAL_SPEECH]), [corpus])
        for row in annotator.annotate([clip(utterance.samples())])
        if isinstance(row, Speaker)
    ]
    assert sum(said) <= 0.05 * len(said)


@pytest.mark.real
def test_on_a_corpus_that_taught_nothing_the_gender_is_right_where_it_is_given(
    annotator: SmallAnnotator,
) -> None:
    said = [
        (utterance.gender, row.gender)
        for utterance in read(Path(os.environ[REAL_SPEECH]), ["timit"])
        for row in annotator.annotate([clip(utterance.samples())])
        if isinstance(row, Speaker)
    ]
    named = [truth == found for truth, found in said if found is not None]
    assert len(named) >= 0.95 * len(said)
    assert sum(named) >= 0.98 * len(named)


def test_the_weights_are_the_projects_own_and_small() -> None:
    found = SmallAnnotator.models(resolve(SmallAnnotator, "speaker=small", {}))
    assert {(one.licence, one.commercial) for one in found} == {("Apache-2.0", True)}
    assert WEIGHTS.stat().st_size + GENDER_WEIGHTS.stat().st_size < 4_000_000
    assert WEIGHTS.with_suffix(".md").is_file()
