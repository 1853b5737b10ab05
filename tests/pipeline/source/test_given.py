from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies

from pipeline.clip import Given
from pipeline.source.given import age_of, gender_of, given_of, number_of, text_of, word_of

ANYTHING = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("word", ["f", "F", "Female", " woman ", "女", "女性", "female_feminine", "weiblich"])
def test_a_word_for_female_is_female(word: str) -> None:
    assert gender_of(word) == "female"


@pytest.mark.parametrize("word", ["m", "MALE", "man", "男", "male_masculine", "homme"])
def test_a_word_for_male_is_male(word: str) -> None:
    assert gender_of(word) == "male"


@pytest.mark.parametrize("word", ["other", "unknown", "", "0", 0, 1, None, True, "malemale", ["f"]])
def test_what_is_no_known_word_for_a_gender_is_none(word: object) -> None:
    assert gender_of(word) is None


@pytest.mark.parametrize(
    ("said", "years"),
    [
        (31, 31.0),
        ("31", 31.0),
        (" 31.5 ", 31.5),
        ("twenties", 25.0),
        ("Fourties", 45.0),
        ("nineties", 95.0),
        ("teens", 16.0),
        ("33 years", 33.0),
        ("33 y", 33.0),
        ("33yrs", 33.0),
        ("33-year-old", 33.0),
        ("33.5 Years Old", 33.5),
        ("33岁", 33.0),
        ("33 周岁", 33.0),
        ("130 years", None),
        ("30-39", None),
        ("33 months", None),
        ("33 years ago", None),
        ("years", None),
        (0, None),
        (-3, None),
        (120, None),
        ("old", None),
        (math.nan, None),
        ("nan", None),
        ("inf", None),
        (True, None),
        ([30], None),
    ],
)
def test_an_age_is_a_number_of_years_with_or_without_the_word_or_a_decade(
    said: object, years: float | None
) -> None:
    assert age_of(said) == years


@given(strategies.text(strategies.characters(exclude_categories=["Cs"])))
def test_text_stays_as_it_is_and_blank_text_is_none(text: str) -> None:
    assert text_of(text) == (text if text.strip() else None)


def test_half_a_character_becomes_one_that_can_be_written() -> None:
    assert text_of("a\ud800b") == "a\ufffdb"


def test_numbers_become_text_as_a_person_writes_them() -> None:
    assert [text_of(v) for v in (7, 7.0, 7.5, 10**400)] == ["7", "7", "7.5", "1" + "0" * 400]
    assert number_of(10**400) is None


def test_a_word_loses_the_space_around_it() -> None:
    assert word_of("  en \n") == "en"


@given(
    strategies.dictionaries(
        strategies.sampled_from(["text", "language", "gender", "age_years", "title"]), ANYTHING
    )
)
def test_whatever_a_source_holds_each_field_is_writable_text_or_a_finite_number_or_none(
    fields: dict[str, object],
) -> None:
    found = given_of(fields)
    for name in Given.__dataclass_fields__:
        value = getattr(found, name)
        assert value is None or (name == "age_years" and 0 < value < 120) or value.encode().decode() == value
