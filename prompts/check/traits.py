"""Words that the lexicon does not know, said of the speaker: "a gangling man", "speaks swaggeringly"."""

from __future__ import annotations

from prompts.check.lexicon import WHO
from prompts.check.units import OTHER, Unit

_BEARERS = frozenset({"voice", "volumes", "delivery"})
_BETWEEN = frozenset({"and", ",", "but", "yet"})
_REACH = 3
"""Words between an adjective and its noun, or before it, at most."""
_SHORTEST = 6
"""Letters of an adverb in "-ly"; shorter ones are words of grammar."""


def is_trait(units: list[Unit], i: int) -> bool:
    """True if an unknown word is an adjective of a person or a voice, or an adverb that heightens nothing."""
    word = units[i].surface
    if not word.isascii():
        return False
    if word.endswith("ly") and len(word) >= _SHORTEST:
        after = units[i + 1].entry if i + 1 < len(units) else OTHER
        return not (after.senses or after.level or after.carrier)
    return _is_before_bearer(units, i) and _is_in_noun_phrase(units, i)


def _is_before_bearer(units: list[Unit], i: int) -> bool:
    for unit in units[i + 1 : i + 2 + _REACH]:
        if unit.fresh:
            return False
        if _is_bearer(unit):
            return True
        if not is_attribute(unit):
            return False
    return False


def _is_in_noun_phrase(units: list[Unit], i: int) -> bool:
    """True if an article or a possessive stands before it and what else is said of the noun."""
    for k in range(i, max(-1, i - _REACH - 1), -1):
        if units[k].fresh or (k and units[k - 1].word == "their"):
            return True
        if not k or not is_attribute(units[k - 1]):
            return False
    return False


def _is_bearer(unit: Unit) -> bool:
    return unit.entry.carrier in _BEARERS or unit.entry.tells(WHO)


def is_attribute(unit: Unit) -> bool:
    """True of what may stand between an adjective and the noun it hangs on."""
    entry = unit.entry
    return unit.word in _BETWEEN or bool(entry.level or entry.senses)
