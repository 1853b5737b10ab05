"""What the fake endpoint is told to do. Every field has a default that is good behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Manner = Literal["good", "wrong", "truncated", "hostile", "prose", "silent", "html"]


@dataclass(frozen=True)
class Script:
    """How it answers.

    `answers`: the manner of the first, second, ... request for a clip; the last goes on. `failing`: that
    many chat requests get `status` with `retry_after`. `every`: of chat requests, each so-manieth does
    too. `poison`: a prompt that holds it gets 500. `formats`: the forms of an answer it knows.
    `longest`: characters of a prompt, beyond which it is 400. `die_after`: chat requests, then it is gone.
    """

    latency_s: float = 0.0
    answers: Sequence[Manner] = ("good",)
    failing: int = 0
    status: int = 503
    retry_after: str | None = None
    every: int = 0
    poison: str = ""
    formats: Sequence[str] = ("json_schema", "json_object")
    longest: int = 1_000_000
    key: str | None = None
    models: Sequence[tuple[str, str | None]] = field(default=(("base", None), ("rewriter", "base")))
    loading_s: float = 0.0
    die_after: int = 0
