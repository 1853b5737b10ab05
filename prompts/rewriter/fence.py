"""What a model is shown of a clip: cleaned, on one line, as JSON between two tags that no clip can write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from prompts.realiser.quoting import one_line

OPEN, CLOSE = "<clip>", "</clip>"
GAP = " … "
"""Stands for what was left out of a long text."""
_REASONS, _REASON = 8, 240
"""At most so many reasons are fed back, each of at most so many characters."""
_STRUCTURAL = {
    "<": "<＜﹤",
    ">": ">＞﹥",
    "[": "[［﹇",
    "]": "]］﹈",
    "{": "{｛﹛︷",
    "}": "}｝﹜︸",
    "|": "|｜",
    "`": "`｀\u1fef",
}
"""Characters that chat templates, fences and marks are made of, with those that NFKC turns into them:
some tokenizers normalise before they look for `<|im_start|>`, `[INST]`, `<<SYS>>` or `</s>`."""
_HARMLESS = {"<": "‹", ">": "›", "[": "(", "]": ")", "{": "(", "}": ")", "|": "¦", "`": "'"}
_encode = json.JSONEncoder(ensure_ascii=False).encode
_DEFUSED = {ord(c): _HARMLESS[plain] for plain, likes in _STRUCTURAL.items() for c in likes}


def defused(text: str | None) -> str:
    """The text on one line, without control characters, in which nothing can open or close anything."""
    return one_line((text or "").translate(_DEFUSED))


def shortened(text: str | None, limit: int) -> str:
    """The text defused, and at most `limit` characters of it: where it is longer, three quarters from
    its beginning and the rest from its end, with `GAP` between."""
    text = text or ""
    if len(text) > 4 * limit:  # a transcript of 10,000 words costs no more than one of 100
        text = text[: 2 * limit] + GAP + text[-limit:]
    line = defused(text)
    if len(line) <= limit:
        return line
    tail = (limit - len(GAP)) // 4
    return line[: limit - len(GAP) - tail].rstrip() + GAP + line[-tail:].lstrip()


def fenced(data: Mapping[str, str]) -> str:
    """The data, already defused, as one line of JSON between the tags.

    Neither tag can stand in the line: it holds no `<` and no `>`.
    """
    return f"{OPEN}\n{_encode(data)}\n{CLOSE}"


def asked(data: Mapping[str, str], faults: Sequence[str], *, rejected: str, request: str) -> str:
    """The last message: the fenced data, why the last answer was rejected, and what to answer.

    The reasons are defused as well: they may name words of the clip.
    """
    parts = [fenced(data)]
    if faults:
        reasons = [shortened(fault, _REASON) for fault in faults[:_REASONS]]
        parts.append(f"{rejected}\n{_encode(reasons)}")
    return "\n".join([*parts, request])
