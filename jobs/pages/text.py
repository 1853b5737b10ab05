"""Text of a corpus, fit for a page: it steers nothing around it and does not fill the page."""

from __future__ import annotations

from pathlib import Path

from jobs.output import harmless

__all__ = ["asset", "harmless", "shortened"]

MOST = 600
"""Characters of a text that a page shows."""


def shortened(text: object, most: int = MOST) -> str:
    """The text without what steers, cut after `most` characters, and then saying how long it is."""
    whole = str(text)
    if len(whole) <= most:
        return harmless(whole)
    return f"{harmless(whole[:most]).rstrip()}… ({len(whole):,} characters)"


def asset(name: str) -> str:
    """A style sheet or script of this folder, to stand in a page."""
    return Path(__file__).with_name(name).read_text("utf-8")
