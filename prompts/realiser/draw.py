"""Chance that is the same for the same key, and never uses a word twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Stuck(Exception):
    """The words left do not fit the shape begun; another shape must be tried."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words with their forms (by person; one where the language has none) and the content words in them."""

    forms: tuple[str, ...]
    stems: frozenset[str]


class Draw:
    """Choices for one caption, from a seed and the clip's id alone."""

    __slots__ = ("_random", "strict", "used")

    def __init__(self, seed: int, *key: str) -> None:
        text = "\0".join((str(seed), *key))
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        self._random = Random(int.from_bytes(digest)).random
        self.used: set[str] = set()
        self.strict = True

    def restart(self) -> None:
        """Forget the words used: the caption is begun anew."""
        self.used.clear()

    def chance(self, p: float) -> bool:
        """True with probability `p`."""
        return self._random() < p

    def below(self, n: int) -> int:
        """A whole number, 0 to n - 1."""
        return int(self._random() * n)

    def one(self, items: Sequence[T]) -> T:
        """Any item; Stuck if there is none."""
        if not items:
            raise Stuck
        return items[int(self._random() * len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in any order."""
        left = list(items)
        return [left.pop(int(self._random() * len(left))) for _ in items]

    def phrase(self, phrases: Sequence[Phrase]) -> Phrase:
        """Any phrase that repeats no content word; its words count as used. Stuck if there is none."""
        n = len(phrases)
        if not n:
            raise Stuck
        for _ in range(6 if self.strict else 1):
            found = phrases[int(self._random() * n)]
            if not self.strict or self.used.isdisjoint(found.stems):
                self.used |= found.stems
                return found
        found = self.one([phrase for phrase in phrases if self.used.isdisjoint(phrase.stems)])
        self.used |= found.stems
        return found
