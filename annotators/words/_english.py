"""How an English word may have been said: the dictionary's ways, else spelling rules."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from annotators.words._letters import by_rules
from annotators.words._numbers import readings
from annotators.words._sphinx import dictionary

Pronunciation = tuple[str, ...]

_MAX_WAYS = 6  # pronunciations a word is searched with
_MAX_PHONES = 60  # longer "words" are noise in the text
_MAX_PARTS, _MAX_LETTERS = 12, 48
_UNSPEAKABLE: Pronunciation = ("+SPN+",)  # the model's own stand-in for speech it has no phones for
_SIGNS = {"&": "and", "@": "at", "+": "plus", "%": "percent", "#": "number"}
_TITLES = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "st": "saint", "jr": "junior",
    "sr": "senior", "vs": "versus", "prof": "professor", "capt": "captain", "gen": "general",
}  # fmt: skip
_ENDINGS: dict[str, Pronunciation] = {
    "'ll": ("AH", "L"), "'ve": ("AH", "V"), "'re": ("ER",), "'d": ("D",), "'m": ("M",),
    "n't": ("AH", "N", "T"),
}  # fmt: skip
_SIBILANTS = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})


@dataclass(frozen=True, slots=True)
class Spoken:
    """The ways a word may have been said, the usual first, and where they come from."""

    ways: tuple[Pronunciation, ...]
    known: bool

    @property
    def speakable(self) -> bool:
        """False where nothing is known but that something is said."""
        return self.ways != (_UNSPEAKABLE,)

    @property
    def aligned_by(self) -> str:
        """As in the column."""
        return "dictionary" if self.known else "rules"


@lru_cache(maxsize=50_000)
def spoken(word: str) -> Spoken:
    """Pronunciations of a word as it stands in a transcript; never empty."""
    word = word[:_MAX_LETTERS]
    plain = _plain(word)
    whole = _look_up(plain)
    ways = list(whole)
    if plain in _TITLES:
        ways += _look_up(_TITLES[plain])
    if re.fullmatch("[a-z]+", plain) and (len(plain) == 1 or _may_be_spelt(word, known=bool(whole))):
        ways.append(_spell(plain))
    if ways:
        return Spoken(_distinct(ways), known=True)
    figures = readings(plain)
    if figures is not None:
        return Spoken(_distinct([_join(reading) for reading in figures]), known=True)
    return _in_parts(word.replace("’", "'"), plain)


def _plain(word: str) -> str:
    """Lower case, without accents, one kind of apostrophe."""
    folded = unicodedata.normalize("NFKD", word.replace("’", "'").casefold())
    return "".join(c for c in folded if not unicodedata.combining(c))


def _look_up(word: str) -> list[Pronunciation]:
    return [tuple(way.split()) for way in dictionary().get(word, ())]


def _may_be_spelt(word: str, *, known: bool) -> bool:
    """Short capitals (`US`, `FBI`) and short words without a vowel (`mp`) may be said letter by letter."""
    mute = not known and not re.search("[aeiouy]", word.lower())
    return len(word) <= 5 and (mute or (word.isupper() and (known or len(word) <= 3)))


def _spell(letters: str) -> Pronunciation:
    return tuple(p for c in letters for p in _look_up(f"{c}.")[0])


def _join(words: tuple[str, ...]) -> Pronunciation:
    """One phone string for several words, each in its usual way."""
    return tuple(p for word in words for p in (_look_up(word) or [by_rules(word)])[0])


_PARTS = re.compile(r"[.,'](?![A-Za-z]{1,2}$)|(?<=\d)(?=[^\W\d])|(?<=[^\W\d])(?=\d)|([&@+%#])")


def _in_parts(word: str, plain: str) -> Spoken:
    """A word the dictionary lacks, from parts it may know: figures, signs, endings, spelling."""
    if plain in _SIGNS:
        return spoken(_SIGNS[plain])
    parts = [p for p in _PARTS.split(word) if p]
    if len(parts) > 1:
        said = [spoken(part) for part in parts[:_MAX_PARTS]]
        ways = [sum(choice, ()) for choice in islice(product(*(s.ways for s in said)), _MAX_WAYS)]
        return Spoken(_distinct(ways), known=all(s.known for s in said))
    for ending, phones in _ENDINGS.items():
        if plain.endswith(ending) and len(plain) > len(ending):
            stem = spoken(plain.removesuffix(ending))
            return Spoken(_distinct([way + phones for way in stem.ways]), known=stem.known)
    possessive = re.fullmatch(r"(.*[a-z])(?:'s|'|s)", plain)
    if possessive:
        stem = spoken(possessive[1])
        if stem.known:
            return Spoken(_distinct([_plural(way) for way in stem.ways]), known=True)
    letters = re.sub(r"[^a-z]", "", plain)
    return Spoken(_distinct([by_rules(letters) if letters else _UNSPEAKABLE]), known=False)


def _plural(way: Pronunciation) -> Pronunciation:
    if way[-1] in _SIBILANTS:
        return (*way, "IH", "Z")
    return (*way, "S" if way[-1] in _VOICELESS else "Z")


def _distinct(ways: list[Pronunciation]) -> tuple[Pronunciation, ...]:
    return tuple(dict.fromkeys(way[:_MAX_PHONES] for way in ways))[:_MAX_WAYS]
