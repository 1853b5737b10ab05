"""What can be stressed: the words of a transcript, in Chinese those that jieba makes of its characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import rjieba

from pipeline.rows import Word

CHINESE = frozenset({"zh", "yue"})


@dataclass(frozen=True, slots=True)
class Unit:
    """A word with its times in s. `first` and `last` are the places of its tokens in `Words`."""

    text: str
    first: int
    last: int
    start_s: float
    end_s: float
    n_syllables: int
    tag: str = ""
    """Part of speech as jieba has it; empty in other languages."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


def units(words: Sequence[Word], text: str, language: str | None) -> tuple[Unit, ...]:
    """The words in order; `words` are the tokens of `text`."""
    if language not in CHINESE:
        return tuple(_unit(words, i, i, word.word) for i, word in enumerate(words))
    return tuple(_chinese(words, text))


def _unit(words: Sequence[Word], first: int, last: int, text: str, tag: str = "") -> Unit:
    syllables = sum(word.n_syllables for word in words[first : last + 1])
    return Unit(text, first, last, words[first].start_s, words[last].end_s, syllables, tag)


def _chinese(words: Sequence[Word], text: str) -> Iterator[Unit]:
    """Tokens in one word of jieba's are one unit; a token across two belongs to that of its start."""
    starts = _starts(words, text)
    ends: list[tuple[int, str]] = []  # where each of jieba's words ends, with its tag
    at = 0
    for piece, tag in rjieba.tag(text):
        at += len(piece)
        ends.append((at, tag))
    owners = [next((n for n, (end, _) in enumerate(ends) if start < end), len(ends)) for start in starts]
    first = 0
    for i in range(1, len(words) + 1):
        if i == len(words) or owners[i] != owners[first]:
            tag = ends[owners[first]][1] if owners[first] < len(ends) else ""
            yield _unit(words, first, i - 1, "".join(word.word for word in words[first:i]), tag)
            first = i


def _starts(words: Sequence[Word], text: str) -> list[int]:
    """Where each token stands in the text."""
    found, at = [], 0
    for word in words:
        at = max(text.find(word.word, at), at)
        found.append(at)
        at += len(word.word)
    return found
