"""The English lexicon, compiled: phrases by attribute, value and role; heads; sentence frames."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from prompts.realiser.draw import Phrase
from prompts.realiser.english_words import (
    MARKS,
    NOBODY,
    PRONOUN,
    agree,
    participle,
    stems,
    third_person,
    with_article,
)
from prompts.realiser.lexicon import Table, compile_attribute, load

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Head:
    """A noun phrase for who speaks: with its article, and the attributes in the order it tells them."""

    phrase: Phrase
    possessive: str | None
    tells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence with slots: `parts` are (True, slot) or (False, words).

    An `imperative` one directs a voice, one that `identifies` says who speaks: sentences may stand before.
    """

    parts: tuple[tuple[bool, str], ...]
    stems: frozenset[str]
    slots: frozenset[str]
    imperative: bool
    identifies: bool
    takes_about: bool


@dataclass(frozen=True, slots=True)
class English:
    """Everything the English grammar says."""

    attributes: Mapping[str, Mapping[str, Table]]
    heads: Mapping[str, Mapping[str, tuple[Head, ...]]]
    frames: Mapping[str, tuple[Frame, ...]]
    carriers: Mapping[str, frozenset[str]]
    prepositions: Mapping[str, str]
    carrier_stems: Mapping[str, frozenset[str]]
    speaker_stems: frozenset[str]


@cache
def english() -> English:
    """The lexicon of this process."""
    source = load("en")
    function_words = frozenset(source["function_words"].split())
    doubling, directing = frozenset(source["doubling"]), frozenset(source["directing"])

    def compiled(role: str, text: str) -> dict[str, Phrase]:
        words = stems(text, function_words)
        if role == "verb":
            verb, _, rest = text.partition(" ")
            tail = f" {rest}" if rest else ""
            finite = agree(third_person(verb) + tail)
            base = agree(text)
            pred = (finite[0], finite[1], base[2], finite[3])
            made = {
                "part": Phrase(agree(participle(verb, doubling) + tail), words),
                "pred": Phrase(pred, words),
            }
            return made | {"base": Phrase(base, words)} if verb in directing else made
        phrases = {role: Phrase(agree(text), words)}
        if role == "abs" and text.startswith("{their} "):
            phrases["own"] = phrases["abs"]
        if role == "clause" and text.startswith("{their} "):
            phrases["whose"] = Phrase(agree("whose" + text.removeprefix("{their}")), words)
        return phrases

    def head(text: str, tells: tuple[str, ...], pre: bool) -> Head:
        noun = with_article(text)
        return Head(Phrase((noun,), stems(text, function_words)), f"{noun}'s" if pre else None, tells)

    def heads(sex: str, stage: str, lists: Mapping[str, list[str]]) -> tuple[Head, ...]:
        gender = () if sex == "unknown" else ("gender",)
        age = () if stage == "unknown" else ("age",)
        return tuple(
            head(text, age + gender if kind == "pre" else gender + age, kind == "pre")
            for kind, texts in lists.items()
            for text in texts
        )

    verbs = tuple(source["topic_verbs"])
    return English(
        {name: compile_attribute(entry, MARKS, compiled) for name, entry in source["attributes"].items()},
        {sex: {s: heads(sex, s, ls) for s, ls in stages.items()} for sex, stages in source["heads"].items()},
        {kind: tuple(_frame(f, function_words, verbs) for f in fs) for kind, fs in source["frames"].items()},
        {noun: frozenset(names) for noun, names in source["carriers"].items()},
        source["prepositions"],
        {noun: stems(noun, function_words) for noun in source["carriers"]},
        stems(PRONOUN[NOBODY], function_words),
    )


def _frame(text: str, function_words: frozenset[str], verbs: tuple[str, ...]) -> Frame:
    prefix, _, bare = text.partition(" ")
    imperative, identifies = "!" in prefix, "=" in prefix
    text = bare if imperative or identifies else text
    pieces = _SLOT.split(text)  # words and slots in turn
    parts = tuple((i % 2 == 1, piece) for i, piece in enumerate(pieces) if piece)
    before_mods = re.split(r"\{(?:mods|manner)\}", text)[0].rsplit(" ", 1)[-1]
    return Frame(
        parts,
        stems(text, function_words),
        frozenset(pieces[1::2]),
        imperative,
        identifies,
        before_mods in verbs and "{quote}" not in text,
    )
