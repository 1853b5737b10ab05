"""What a source says of a clip, in the words of `Given`. What cannot be understood is None, not a guess."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pipeline.clip import Given

_SURROGATES = re.compile("[\ud800-\udfff]")  # JSON can name half a character; UTF-8 cannot hold one
_FEMALE = (
    "f fem female feminine female_feminine woman women girl lady w weiblich frau femme féminin femenino "
    "femenina mujer femminile donna 女 女性 女声 女聲 女生 女人"
)
_MALE = (
    "m male masculine male_masculine man men boy männlich mann homme masculin masculino hombre maschile "
    "uomo 男 男性 男声 男聲 男生 男人"
)
_GENDERS = dict.fromkeys(_FEMALE.split(), "female") | dict.fromkeys(_MALE.split(), "male")
_DECADES = {
    "teens": 16.0,  # 13 to 19
    **{
        name: 10.0 * tens + 5.0
        for tens, name in enumerate(
            ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"], 2
        )
    },
    "fourties": 45.0,  # as Common Voice spells it
}
_WITH_UNIT = re.compile(
    r"(\d{1,3}(?:\.\d{1,9})?)[\s-]?(?:years?(?:[\s-]olds?)?|yrs?\.?|y\.?(?:/?o\.?)?|周?[岁歲])", re.IGNORECASE
)
"""`33 years`, `33 y`, `33-year-old`, `33岁`."""
_OLDEST_YEARS = 120.0
_NOTHING = frozenset(
    ["none", "null", "nan", "n/a", "na", "-", "?", "unknown", "unk", "unspecified", "undefined", "other"]
)


def text_of(value: object) -> str | None:
    """Text exactly as it stands, a number as text; None for anything else and for blanks."""
    if isinstance(value, str):
        if not value or value.isspace():
            return None
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) or math.isfinite(value) else None


def word_of(value: object) -> str | None:
    """Text without the white space around it."""
    text = text_of(value)
    return None if text is None else text.strip()


def number_of(value: object) -> float | None:
    """A finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def gender_of(value: object) -> str | None:
    """`female`, `male`, or None for every other word and for numbers, whose meaning differs by corpus."""
    return _GENDERS.get((word_of(value) or "").casefold())


def age_of(value: object) -> float | None:
    """Years, between 0 and 120, also with their unit; a decade in words is its middle (`twenties`: 25)."""
    years = number_of(value)
    if years is None:
        word = word_of(value) or ""
        with_unit = _WITH_UNIT.fullmatch(word)
        years = float(with_unit[1]) if with_unit else _DECADES.get(word.casefold())
    return years if years is not None and 0 < years < _OLDEST_YEARS else None


def said(value: object) -> str | None:
    """A label as it stands, of whatever type; None for one that says only that nothing is known."""
    word = word_of(value)
    if word is None and isinstance(value, bool | list | dict):
        word = str(value)
    return None if word is None or word.casefold() in _NOTHING else word


def given_of(fields: Mapping[str, object]) -> Given:
    """What these fields, named as in `Given`, say."""
    return Given(
        text=text_of(fields.get("text")),
        gender=gender_of(fields.get("gender")),
        age_years=age_of(fields.get("age_years")),
        **{name: word_of(fields[name]) for name in _WORDS if name in fields},
    )


_WORDS = (
    "language",
    "speaker",
    "emotion",
    "emphasis_word",
    "domain",
    "title",
    "description",
    "category",
    "source",
    "licence",
    "attribution",
)
