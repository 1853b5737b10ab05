"""What an editor would mend in an English caption, found before it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

NOT_AN_ORDER = frozenset({"topic", "age", "gender"})
"""Attributes that cannot be asked of a voice: "Keep the pitch low. The topic is winter." """
_REPEATED = (
    re.compile(r"\bwith\b", re.IGNORECASE),
    re.compile(r"\b(?:speak|talk)(?:s|ing)?\b", re.IGNORECASE),
)
_WORDS_THEN_THEIR = re.compile(r"the words[^;]*;.* their ")
_ADVERB = re.compile(r" (?:\w+ly|fast)\b")


def repeats(text: str) -> bool:
    """True if "with", or a verb of speaking, stands twice in a sentence."""
    return any(len(pattern.findall(text)) > 1 for pattern in _REPEATED)


def misread(clauses: Sequence[str]) -> bool:
    """True if "their" would be read as that of the words: "the words come fast; their pitch is low"."""
    return _WORDS_THEN_THEIR.search("; ".join(clauses)) is not None


def adverb_first(text: str) -> bool:
    """True if the text begins with an adverb, which limps after a full stop: say "Go." angrily."""
    return _ADVERB.match(text) is not None


def alike(run: Sequence[str]) -> int:
    """How many of the first attributes are all orders, or all none."""
    orders = [attribute not in NOT_AN_ORDER for attribute in run]
    return next((i for i, order in enumerate(orders) if order != orders[0]), len(run))
