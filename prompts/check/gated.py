"""Many patterns against one text, of which those are tried whose literal part stands in it."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

_parser: Any = importlib.import_module("re._parser")


MOST_WORDS = 50_000
"""So many are remembered; captions have some thousands."""
Pair = tuple[str, re.Pattern[str]]


class Gated:
    """Patterns (in any case), each behind the text without which it cannot match.

    Of 500 patterns those two or three are tried whose needed text may stand there. Of words with spaces
    between them it is remembered which needed texts have their longest word in them; a Chinese text is cut
    into all its pieces of two characters.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        behind: dict[str, list[str]] = defaultdict(list)
        for pattern in patterns:
            for literal in needed(_parser.parse(pattern, re.I)) or {""}:
                behind[literal].append(pattern)
        self._behind: dict[str, list[Pair]] = defaultdict(list)
        self._short: list[Pair] = []
        self._longest: list[tuple[str, Pair]] = []
        self._in_word: dict[str, tuple[Pair, ...]] = {}
        for literal, own in sorted(behind.items()):
            pair = (literal, re.compile("|".join(f"(?:{p})" for p in own), re.I))
            self._longest.append((max(literal.split(), key=len, default=""), pair))
            pieces = _pieces(literal)
            if pieces:
                self._behind[max(pieces, key=_rarity)].append(pair)
            else:
                self._short.append(pair)
        self._keys = frozenset(self._behind)

    def found(self, text: str) -> bool:
        """True if one of the patterns matches somewhere in the text."""
        lower = text.lower()
        if not _HAN.search(lower):
            return any(literal in lower and pattern.search(text) for literal, pattern in self._near(lower))
        for piece in self._keys.intersection(_pieces(lower)):
            for literal, pattern in self._behind[piece]:
                if literal in lower and pattern.search(text):
                    return True
        return any(literal in lower and pattern.search(text) for literal, pattern in self._short)

    def _near(self, lower: str) -> set[Pair]:
        """The patterns of whose needed text the longest word stands in a word of the text."""
        found: set[Pair] = set()
        known = self._in_word
        for word in lower.split():
            pairs = known.get(word)
            if pairs is None:
                pairs = tuple(pair for part, pair in self._longest if part in word)
                if len(known) < MOST_WORDS:
                    known[word] = pairs
            if pairs:
                found.update(pairs)
        return found


def _pieces(text: str) -> list[str]:
    """All runs of four characters; of Chinese all of two, and of four if there is Latin in it."""
    if not _HAN.search(text):
        return [text[i : i + 4] for i in range(len(text) - 3)]
    pieces = [text[i : i + 2] for i in range(len(text) - 1)]
    if _LATIN.search(text):
        pieces += [text[i : i + 4] for i in range(len(text) - 3)]
    return pieces


_HAN, _LATIN = re.compile("[\u3000-\u9fff]"), re.compile("[!-~][ -~]{3}")


def _rarity(piece: str) -> tuple[int, str]:
    return sum(_COMMON.find(c) for c in piece), piece


_COMMON = "e taoinsrhldcumfpgwybvkxjqz"
"""The letters of English, the commonest first."""


def needed(parsed: Any) -> frozenset[str]:
    """Texts in lower case, one of which stands in whatever a parsed pattern matches; empty if unknown."""
    best: frozenset[str] = frozenset()
    run = ""
    for op, value in [*parsed, (None, None)]:
        name = str(op)
        if name == "LITERAL":
            run += chr(value).lower()
            continue
        found = frozenset({run}) if run else frozenset[str]()
        best, run = _better(best, found), ""
        if name == "SUBPATTERN":
            best = _better(best, needed(value[-1]))
        elif name == "BRANCH":
            each = [needed(branch) for branch in value[1]]
            best = _better(best, frozenset().union(*each) if all(each) else frozenset())
        elif name in ("MAX_REPEAT", "MIN_REPEAT") and value[0] >= 1:
            best = _better(best, needed(value[2]))
    return best


def _better(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The choice of texts that fewer texts have: that with a question mark, or whose shortest is longer."""
    return other if min(map(_length, other), default=0) > min(map(_length, one), default=0) else one


def _length(text: str) -> int:
    return len(text) + 9 * ("?" in text)
