"""Chinese phrases of many choices ("像(踩到|闻到)(狗屎|馊水)"), too many to spell out: found as patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from prompts.check.lexicon import Entry, Sense, sense_of

FIRST = 0xE100
"""The private character that stands for the first phrase found in a text."""
_PIECE = re.compile(r"\(([^)]*)\)|([^(]+)")
_MADE_UP = "made up "
_ANY = "…"
"""Stands for up to six characters of a clause, none of which is of the voice or of what is said."""
_NO_VOICE = (
    "[^，,。；;：:声音字话嗓调语句词重速力情气怒尾它量点心劲份岁年老少青快慢高低响轻大小男女"
    "\ue000-\ue003]{1,6}?"
)


class _Frame(NamedTuple):
    """A pattern, texts of which one is in whatever it matches, and what it tells or makes up."""

    pattern: re.Pattern[str]
    signs: tuple[str, ...]
    sense: Sense | None
    invention: str | None


class Frames:
    """The patterns of a lexicon."""

    def __init__(self, raw: Mapping[str, Iterable[str]]) -> None:
        self._frames = [_frame(key, text) for key, texts in raw.items() for text in texts]
        self._behind: dict[str, set[int]] = {}
        for n, frame in enumerate(self._frames):
            for sign in frame.signs:
                self._behind.setdefault(sign[:2], set()).add(n)
        self._keys = frozenset(self._behind)

    def put(self, text: str) -> tuple[str, dict[str, Entry]]:
        """The text with a private character for each phrase found, and the entries of these."""
        found: dict[str, Entry] = {}
        pieces = self._keys.intersection((*text, *map("".join, pairwise(text))))
        for n in sorted(set().union(*(self._behind[piece] for piece in pieces))):
            frame = self._frames[n]
            if any(sign in text for sign in frame.signs):
                text = frame.pattern.sub(lambda m, frame=frame: _note(m[0], frame, found), text)  # type: ignore[misc]
        return text, found


def _note(text: str, frame: _Frame, found: dict[str, Entry]) -> str:
    character = chr(FIRST + len(found))
    found[character] = Entry(text, (frame.sense,) if frame.sense else (), invention=frame.invention)
    return character


def _frame(key: str, text: str) -> _Frame:
    pieces = [m.groups() for m in _PIECE.finditer(text)]
    choices = [tuple(a.split("|")) if a is not None else (b,) for a, b in pieces]
    pattern = "".join(
        f"(?:{'|'.join(map(re.escape, sorted(c, key=len, reverse=True)))})".replace(_ANY, _NO_VOICE)
        for c in choices
    )
    signs = min(
        (c for c in choices if all(c) and _ANY not in c),
        key=lambda c: len(c) / min(map(len, c)),
        default=("",),
    )
    made_up = key.removeprefix(_MADE_UP) if key.startswith(_MADE_UP) else None
    return _Frame(re.compile(pattern), signs, None if made_up else sense_of(key), made_up)
