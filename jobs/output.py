"""What machines read goes to standard output as JSON; what people watch goes to standard error."""

from __future__ import annotations

import json
import sys
import unicodedata

from rich.markup import escape

JOINERS = "\u200c\u200d"
"""Formatting that words are spelt with, Persian and Indic ones among them."""


def emit(facts: object) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1, default=str) + "\n")


def notice(text: str) -> None:
    """Say one line to whoever watches."""
    sys.stderr.write(f"{text}\n")


def shown(value: object) -> str:
    """Text of a corpus, fit for a terminal: one line, no markup, no control codes, no reversed writing."""
    return escape(harmless(str(value).replace("\n", "\u21b5")))


def setting(value: object) -> str:
    """The value of an option as a job file has it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def harmless(text: str) -> str:
    """The text with a mark in place of each character that steers: control codes, line ends, reversals."""
    return "".join("\ufffd" if _steers(c) else c for c in text)


def _steers(character: str) -> bool:
    """Whether it steers the terminal, or what stands around it, rather than being read."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in JOINERS
