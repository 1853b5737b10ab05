"""The Chinese lexicon, compiled: phrases by attribute, value and role; heads; sentence frames."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from prompts.realiser.draw import Phrase
from prompts.realiser.lexicon import Table, compile_attribute, load

_SLOT = re.compile(r"\{(\w+)\}")
_SERVES = {"pred": ("pred", "tail", "asked"), "self": ("tail", "asked"), "deed": ("tail",)}
"""The roles in which a clause may stand: before the speaker, after, after in a request."""
_DIVIDES = re.compile(r"\{(?:preds|tail)\}(?:。|\Z)")


@dataclass(frozen=True, slots=True)
class Head:
    """Who speaks: a measure word and a noun."""

    noun: Phrase
    tells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence with slots: `parts` are (True, slot) or (False, words).

    One that `identifies` says who speaks; one that `divides` may be cut in two at its last slot;
    `clause` is the role of the clauses after the speaker.
    """

    parts: tuple[tuple[bool, str], ...]
    stems: frozenset[str]
    slots: frozenset[str]
    identifies: bool
    divides: bool
    clause: str


@dataclass(frozen=True, slots=True)
class Chinese:
    """Everything the Chinese grammar says."""

    attributes: Mapping[str, Mapping[str, Table]]
    heads: Mapping[str, Mapping[str, tuple[Head, ...]]]
    frames: Mapping[str, tuple[Frame, ...]]
    pronouns: Mapping[str, str]


@cache
def chinese() -> Chinese:
    """The lexicon of this process."""
    source = load("zh")
    function_characters = frozenset(source["function_characters"])
    own = tuple(source["own_nouns"])

    def compiled(role: str, text: str) -> dict[str, Phrase]:
        phrase = Phrase((text,), stems(text, function_characters))
        served = dict.fromkeys(_SERVES.get(role, (role,)), phrase)
        return served | {"own": phrase} if role == "pred" and text.startswith(own) else served

    def heads(sex: str, stage: str, nouns: Mapping[str, list[str]]) -> tuple[Head, ...]:
        age = () if stage == "unknown" else ("age",)
        tells = age + (() if sex == "unknown" else ("gender",))
        return tuple(
            Head(Phrase((f"一{measure}{noun}",), stems(noun, function_characters)), tells)
            for measure, list_ in nouns.items()
            for noun in list_
        )

    return Chinese(
        {
            name: compile_attribute(entry, frozenset({"x"}), compiled)
            for name, entry in source["attributes"].items()
        },
        {sex: {s: heads(sex, s, ns) for s, ns in stages.items()} for sex, stages in source["heads"].items()},
        {kind: tuple(_frame(f, function_characters) for f in fs) for kind, fs in source["frames"].items()},
        source["pronouns"],
    )


def stems(text: str, function_characters: frozenset[str]) -> frozenset[str]:
    """The pairs of neighbouring content characters: what a reader would notice twice."""
    plain = _SLOT.sub("，", text)
    return frozenset(
        a + b for a, b in pairwise(plain) if a.isalpha() and b.isalpha() and not {a, b} & function_characters
    )


def _frame(text: str, function_characters: frozenset[str]) -> Frame:
    identifies = text.startswith("= ")
    pieces = _SLOT.split(text.removeprefix("= "))  # words and slots in turn
    parts = tuple((i % 2 == 1, piece) for i, piece in enumerate(pieces) if piece)
    return Frame(
        parts,
        stems(text, function_characters),
        frozenset(pieces[1::2]),
        identifies,
        _DIVIDES.search(text) is not None,
        "asked" if "请" in text or "生成" in text else "tail",
    )
