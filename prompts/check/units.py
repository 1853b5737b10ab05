"""A caption cut into the phrases of the lexicon, and what is claimed by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prompts.check.lexicon import END, MEASURED, Entry, Node, Reading, Sense

OTHER = Entry()
"""The entry of a word that the lexicon does not know."""
HARD = frozenset(".;")
CLAUSE_ENDS = HARD | {",", ":"}
__all__ = ["CLAUSE_ENDS", "HARD", "MEASURED", "OTHER", "Claim", "Told", "Unit", "units_of"]


class Claim(NamedTuple):
    """One thing told at a place: asserted, denied, its opposite asserted, or (litotes) hinted at."""

    at: int
    sense: Sense
    polarity: str  # "asserted", "denied", "litotes", "opposite"
    text: str


@dataclass(slots=True)
class Told:
    """All that was read in a caption.

    `mentions`: where the noun of an attribute stands, told or not. `strange`: the words that the lexicon
    does not know and that could tell something. `asides`: those of the clauses that tell nothing. `traits`:
    those said of a person, a voice or how one speaks.
    `excused`: the values beside any of which what is made up at a place is not.
    `images`: kind and words of what is made up in a comparison of a clause of its own.
    `beside`: clauses of Chinese that tell nothing, in which something is made up if all is told without them.
    `elsewhere`: from where to where others are spoken of.
    """

    claims: list[Claim] = field(default_factory=list)
    inventions: list[tuple[int, str, str]] = field(default_factory=list)
    has_stress: bool = False
    mentions: dict[str, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    asides: list[list[str]] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    elsewhere: list[tuple[int, int]] = field(default_factory=list)
    excused: dict[int, tuple[Reading, ...]] = field(default_factory=dict)

    def is_elsewhere(self, at: int) -> bool:
        """True of a place where others are spoken of."""
        return any(begin < at < end for begin, end in self.elsewhere)


@dataclass(slots=True)
class Unit:
    """A phrase of the lexicon, or a word it does not know; `fresh`: an article stands before it."""

    at: int
    word: str
    entry: Entry
    surface: str
    fresh: bool = False


def units_of(
    forms: Sequence[str], surface: Sequence[str], trie: Node, fresh: frozenset[int] = frozenset()
) -> list[Unit]:
    """The longest phrase at each place, left to right."""
    found: list[Unit] = []
    at, n = 0, len(forms)
    while at < n:
        node = trie.get(forms[at])
        if node is None:
            found.append(Unit(at, forms[at], OTHER, surface[at], at in fresh))
            at += 1
            continue
        entry, end, i = node.get(END), at + 1, at + 1
        while i < n:
            node = node.get(forms[i])
            if node is None:
                break
            i += 1
            if END in node:
                entry, end = node[END], i
        found.append(Unit(at, forms[at], entry or OTHER, surface[at], at in fresh))
        at = end
    return found
