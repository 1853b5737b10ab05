"""Texts that read almost like an earlier one: n-grams of words in common, by Jaccard's measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

from pipeline.text import words

GRAM = 3
"""Words, or Chinese characters, of an n-gram."""
ALIKE = 0.8
"""Share of their n-grams that two texts have in common from which they count as one. Two texts of twenty
words that differ in one word in the middle share 15 of 21: they are told apart."""

Grams = frozenset[tuple[str, ...]]


def tokens(text: str) -> list[str]:
    """The words of a text, or its Chinese characters, in small letters."""
    return [word.casefold() for word in words(text)]


def grams(text: str, n: int = GRAM) -> Grams:
    """The n-grams of a text; the whole of it where it is shorter."""
    told = tokens(text)
    return frozenset(tuple(told[i : i + n]) for i in range(max(1, len(told) - n + 1)))


def jaccard(a: Grams, b: Grams) -> float:
    """What two sets have in common, of all they have."""
    return len(a & b) / len(a | b)


class Index:
    """Finds, exactly, an earlier text that is like a new one.

    Two sets can share a fraction `alike` only if the rarest few n-grams of each meet (prefix filtering), so
    a text is compared with few others. How rare an n-gram is comes from `corpus`.
    """

    def __init__(self, corpus: Iterable[Grams], alike: float = ALIKE) -> None:
        self._alike = alike
        self._counts = Counter(gram for one in corpus for gram in one)
        self._kept: list[Grams] = []
        self._places: dict[tuple[str, ...], list[int]] = {}

    def add(self, one: Grams) -> int | None:
        """The number of the earlier text it is like, counted over those that were like none; else None."""
        ordered = sorted(one, key=lambda gram: (self._counts[gram], gram))
        prefix = ordered[: len(ordered) - ceil(self._alike * len(ordered)) + 1]
        near = {place for gram in prefix for place in self._places.get(gram, ())}
        for place in sorted(near):
            if jaccard(one, self._kept[place]) >= self._alike:
                return place
        for gram in prefix:
            self._places.setdefault(gram, []).append(len(self._kept))
        self._kept.append(one)
        return None


def near_duplicates(texts: Sequence[str], alike: float = ALIKE) -> list[bool]:
    """For each text whether it is like an earlier one that is like none before it.

    Of texts that are like an earlier one nothing is held: the n-grams of 25 words take 5.6 kB.
    """
    index = Index((grams(text) for text in texts), alike)
    return [index.add(grams(text)) is not None for text in texts]
