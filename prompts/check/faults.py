"""What can be wrong with a caption, said so that a person, or a model that writes it again, understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["omission", "distortion", "invention", "transcript", "language", "form", "length", "echo"]
Which = Literal["description", "instruction"]
Language = Literal["en", "zh"]
EXCERPT = 40
"""Characters of a caption that a reason repeats at most."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one caption; `attribute` is one of CONVEYABLE, or None; `str()` is one sentence."""

    kind: Kind
    caption: Which
    attribute: str | None
    reason: str

    def __str__(self) -> str:
        return f"The {self.caption} {self.reason}"


def excerpt(text: str) -> str:
    """A short piece of foreign text on one line, without control characters, quotes, braces or markup."""
    plain = "".join(c if c.isprintable() and c not in "\"'`{}<>[]|\\" else " " for c in text[: 4 * EXCERPT])
    plain = " ".join(plain.split())
    return f'"{plain[:EXCERPT].rstrip()}…"' if len(plain) > EXCERPT else f'"{plain}"'
