"""Text of a corpus that cannot break a card."""

from __future__ import annotations


def plain(text: object) -> str:
    """Text of a corpus on one line, without what does not print, and not endless."""
    line = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(str(text).split()))
    return line if len(line) <= 200 else f"{line[:199]}…"
