"""Ages told in numbers: "a girl of nine", "in her sixty-third year", "七十来岁"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.rows import AGE_GROUPS_FROM_YEARS, AgeGroup
from prompts.check.chinese_ages import years
from prompts.check.faults import excerpt
from prompts.check.lexicon import Sense
from prompts.check.units import Claim

_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {w: n for n, w in enumerate(_TO_TWENTY)} | {w: 10 * n for n, w in enumerate(_TENS, 3)}
NUMBER_WORDS = frozenset(w for w, n in _NUMBERS.items() if n > 1)
_BELOW = frozenset(
    {
        "under",
        "below",
        "short of",
        "shy of",
        "not yet",
        "not quite",
        "just short of",
        "less than",
        "younger than",
    }
)
_ABOVE = frozenset({"over", "past", "beyond", "above", "more than", "older than", "upwards of"})
_AGE = re.compile(
    r"\b(?:(?P<cue>aged?|around|about|perhaps|maybe|nearly|almost|past|over|under|below|above|beyond"
    r"|approaching|turned|of|barely|pushing|nearing|near|roughly|some|say,?|hardly|just|at|are"
    r"|be|is|than|sounds?|only|rising|turning|like"
    r"|close to|closer to|near to|getting on for|the wrong side of|the right side of|all of|a good"
    r"|no more than|no less than|no older than|no younger than|at least|at most|as old as|as young as"
    r"|short of|shy of|not yet|not quite|going on|nudging|round|circa|upwards of|more than|less than"
    r"|older than|younger than|in the region of|somewhere near)\s+)*"
    rf"(?P<n>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\b"
    r"(?:[- ](?P<unit>one|two|three|four|five|six|seven|eight|nine))?"
    r"(?P<years>[- ](?:years?|summers|winters|springs|birthdays|or so|or thereabouts|or near it"
    r"|or near enough|or close to it|or a little over"
    r"|at a guess|if a day|and counting|odd|ish|plus|something|at most|at the outside|at least)\b)?",
)
_VAGUE = frozenset(
    {
        "some",
        "just",
        "hardly",
        "over",
        "of",
        "at",
        "are",
        "be",
        "is",
        "than",
        "sound",
        "sounds",
        "only",
        "like",
    }
)
_GOES_ON = re.compile(r" (?:and|or) ")
_DIGIT = re.compile("[0-9]")
_GROUPS: tuple[AgeGroup, ...] = ("child", "teenager", "young adult", "middle-aged", "elderly")


def ages(text: str, forms: Sequence[str], language: str) -> Iterator[Claim]:
    """The ages that a text tells in numbers."""
    if language == "zh":
        return _ages_zh(text)
    return _ages_en(text) if not NUMBER_WORDS.isdisjoint(forms) or _DIGIT.search(text) else iter(())


def _sense(years: int) -> Sense:
    """The group of an age; in the thirties and at twelve people use two words."""
    values: set[str] = {_GROUPS[sum(years >= begin for begin in AGE_GROUPS_FROM_YEARS)]}
    if 30 <= years < 40:
        values.add("middle-aged")
    if years == 12:
        values.add("teenager")
    return Sense((("age", frozenset(values)),))


def _ages_en(text: str) -> Iterator[Claim]:
    for match in _AGE.finditer(text.lower()):
        opens = not text[: match.start()].strip() and bool(_GOES_ON.match(text, match.end()))
        if not match["years"] and not match["cue"] and not opens:
            continue
        n = int(match["n"]) if match["n"].isdigit() else _NUMBERS[match["n"]]
        if match["unit"]:
            n += _NUMBERS[match["unit"]]
        if not match["years"] and (
            n < 3 or ((opens or match["cue"] in _VAGUE) and n < 10 and not _GOES_ON.match(text, match.end()))
        ):
            continue
        if n > 110:
            continue
        if match["cue"] in _BELOW:
            n -= 1
        elif match["cue"] in _ABOVE and n % 10 == 0:
            n += 1
        yield Claim(match.start() // 6, _sense(n), "asserted", excerpt(match[0]).strip('"'))


def _ages_zh(text: str) -> Iterator[Claim]:
    for at, least, most, word in years(text):
        values = frozenset(value for n in (least, most) for value in _sense(n).readings[0][1])
        yield Claim(at, Sense((("age", values),)), "asserted", word)
