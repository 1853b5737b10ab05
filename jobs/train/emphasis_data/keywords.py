"""The words of a sentence worth stressing: nouns, verbs and numerals, English and Chinese.

English has no tagger here: a keyword is a word that is in no list of function words or filler words and
does not end as adverbs and adjectives do, or a number. Chinese goes by jieba's tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from annotators.emphasis._units import CHINESE, Unit
from prompts.stopwords import stopwords

LANGUAGES = ("en", "zh")
MIN_S = 0.12
"""Shorter words leave no room for the fades."""

_NUMBER = re.compile(
    r"\d.*|(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)"
    r"teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|millions?|billions?|dozens?|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)"
)
_NEITHER_NOUN_NOR_VERB = re.compile(
    r".{2,}(?:[^aeiou]ly|ous|ful|less|able|ible|[aeiou][ns]tic|ical|ive|ier|iest|ward|wards|ish)"
)
_SPOKEN = re.compile(r"[^\W\d_]{3,}")
_TAGS = frozenset({"n", "nr", "nrt", "ns", "nt", "nz", "v", "vn", "m", "mq", "t", "i", "l"})


def keywords(units: Sequence[Unit], language: str | None) -> list[int]:
    """The places of the units worth stressing, in order; none in languages other than these two."""
    if language in CHINESE:
        return [i for i, unit in enumerate(units) if unit.seconds >= MIN_S and _is_chinese_keyword(unit)]
    if language != "en":
        return []
    return [i for i, unit in enumerate(units) if unit.seconds >= MIN_S and _is_english_keyword(unit.text)]


def _is_chinese_keyword(unit: Unit) -> bool:
    return unit.tag in _TAGS and unit.text not in stopwords("zh")


def _is_english_keyword(word: str) -> bool:
    plain = word.lower().replace("\u2019", "'")
    if _NUMBER.fullmatch(plain):
        return True
    if plain in stopwords("en") or plain in stopwords("en_common"):
        return False
    return _SPOKEN.fullmatch(plain) is not None and _NEITHER_NOUN_NOR_VERB.fullmatch(plain) is None
