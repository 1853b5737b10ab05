"""Figures as English words: what a person may have said for `1984`, `$3.50` or `21st`."""

from __future__ import annotations

import re

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_UNITS = {
    "$": ("dollar", "dollars"), "£": ("pound", "pounds"), "€": ("euro", "euros"), "¥": ("yen", "yen"),
    "%": ("percent", "percent"), "°": ("degree", "degrees"),
}  # fmt: skip
_FIGURE = re.compile(r"([$£€¥]?)(\d[\d,]*)((?:\.\d+)?)(st|nd|rd|th|'?s)?([%°]?)")
_MAX_DIGITS = 15  # longer figures are spelt

Reading = tuple[str, ...]


def readings(text: str) -> list[Reading] | None:
    """Every usual way to read a figure, the likeliest first; None if the text is no figure."""
    match = _FIGURE.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, ending, after = match.groups()
    digits = whole.replace(",", "")
    found = [*_as_year(digits), cardinal(digits), _spelt(digits)]
    if "," in whole or fraction or sign or after or len(digits) < 3:
        found = [cardinal(digits)]
    found = [r for r in found if r] or [_spelt(digits)]
    if ending:
        found = [(*r[:-1], _with_ending(r[-1], ending)) for r in found]
    if fraction:
        found = _with_fraction(found[0], sign, fraction)
    if sign or after:
        unit = _UNITS[sign or after][digits != "1" or bool(fraction)]
        found = [r if unit in r else (*r, unit) for r in found]
    return list(dict.fromkeys(found))


def cardinal(digits: str) -> Reading:
    """`1984` as one thousand nine hundred eighty four; empty if it is too long to be read so."""
    if len(digits) > _MAX_DIGITS:
        return ()
    number, words = int(digits), list[str]()
    for scale, name in _SCALES:
        if number >= scale:
            words += [*cardinal(str(number // scale)), name]
            number %= scale
    if number >= 20:
        words.append(_TENS[number // 10])
        number %= 10
    if number or not words:
        words.append(_ONES[number])
    return tuple(words)


def _spelt(digits: str) -> Reading:
    return tuple("oh" if d == "0" and len(digits) > 1 else _ONES[int(d)] for d in digits)


def _as_year(digits: str) -> list[Reading]:
    """1984 as nineteen eighty four, 1906 as nineteen oh six, 1900 as nineteen hundred."""
    if len(digits) != 4 or digits[0] == "0" or digits[1:3] == "00":
        return []
    head, tail = cardinal(digits[:2]), digits[2:]
    if tail == "00":
        return [(*head, "hundred")]
    return [(*head, "oh", _ONES[int(tail[1])]) if tail[0] == "0" else (*head, *cardinal(tail))]


def _with_ending(word: str, ending: str) -> str:
    if ending in ("s", "'s"):
        return word[:-1] + "ies" if word.endswith("y") else word + "s"
    if word in _ORDINALS:
        return _ORDINALS[word]
    return word[:-1] + "ieth" if word.endswith("y") else word + "th"


def _with_fraction(whole: Reading, sign: str, fraction: str) -> list[Reading]:
    """3.5 and $2.50."""
    digits = fraction[1:]
    if sign and len(digits) == 2:
        unit, cents = _UNITS[sign][whole != ("one",)], cardinal(digits)
        return [(*whole, unit, *cents), (*whole, unit, "and", *cents, "cents"), (*whole, *cents, unit)]
    return [(*whole, "point", *(_ONES[int(d)] for d in digits))]
