"""Many patterns against one text, of which those are tried whose literal part stands in it."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

_parser: Any = importlib.import_module("re._parser")


class Gated:
    """Patterns (in any case), each behind the text without which it cannot match.

    A text is cut once into all its pieces of four characters (two, if they are Chinese), and of 500 patterns
    those two or three are tried of whose needed text a piece is among them.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        behind: dict[str, list[str]] = defaultdict(list)
        for pattern in patterns:
            for literal in needed(_parser.parse(pattern, re.I)) or {""}:
                behind[literal].append(pattern)
        self._behind: dict[str, list[tuple[str, re.Pattern[str]]]] = defaultdict(list)
        self._short: list[tuple[str, re.Pattern[str]]] = []
        for literal, own in sorted(behind.items()):
            pair = (literal, re.compile("|".join(f"(?:{p})" for p in own), re.I))
            pieces = _pieces(literal)
            if pieces:
                self._behind[max(pieces, key=_rarity)].append(pair)
            else:
                self._short.append(pair)
        self._keys = frozenset(self._behind)

    def found(self, text: str) -> bool:
        """True if one of the patterns matches somewhere in the text."""
        lower = text.lower()
        for piece in self._keys.intersection(_pieces(lower)):
            for literal, pattern in self._behind[piece]:
                if literal in lower and pattern.search(text):
                    return True
        return any(literal in lower and pattern.search(text) for literal, pattern in self._short)


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
