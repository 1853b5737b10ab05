"""Signs that are said aloud (`$5`, `5 %`, `R & B`), given to the word they are said with."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEFORE = re.compile(r"(?:[$£€¥#@]|[&+]\s*)$")
_AFTER = re.compile(r"\s?[%°]")


def with_signs(text: str, tokens: Sequence[str]) -> list[str]:
    """Each token with the sign before or after it; `tokens` stand in `text` in this order."""
    said: list[str] = []
    at = 0
    for token in tokens:
        start = text.index(token, at)
        before = _BEFORE.search(text[at:start])
        at = start + len(token)
        after = _AFTER.match(text, at) if token[-1].isdigit() else None
        said.append((before[0].strip() if before else "") + token + (after[0].strip() if after else ""))
    return said
