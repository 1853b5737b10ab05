from __future__ import annotations

import pytest

from annotators.speaker.given import GivenAnnotator
from pipeline.annotator import Skip
from pipeline.clip import Given
from pipeline.rows import Speaker
from tests.make import clip_of


def speaker_of(**given: object) -> Speaker | Skip:
    return GivenAnnotator().annotate([clip_of(given=Given(**given))])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("gender", ["female", "male"])
def test_a_given_gender_stands_and_its_source_is_given(gender: str) -> None:
    assert speaker_of(gender=gender) == Speaker(gender, "given", None, None, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("age_years", [0.0, 6.0, 43.5])
def test_a_given_age_stands_and_its_source_is_given(age_years: float) -> None:
    assert speaker_of(age_years=age_years) == Speaker(None, None, None, age_years, "given", None)


def test_nothing_given_is_a_skip_and_not_a_guess() -> None:
    assert isinstance(speaker_of(speaker="mary", title="A talk by a lady of 40", text="I am a man."), Skip)


def test_each_clip_has_its_own_outcome_in_order() -> None:
    clips = [clip_of(given=g) for g in (Given(gender="male"), Given(), Given(age_years=30))]
    first, second, third = GivenAnnotator().annotate(clips)
    assert isinstance(first, Speaker)
    assert first.gender == "male"
    assert isinstance(second, Skip)
    assert isinstance(third, Speaker)
    assert third.age_years == 30


def test_it_sees_gender_and_age_alone() -> None:
    assert GivenAnnotator.sees == {"gender", "age_years"}
    assert GivenAnnotator.hears is None
