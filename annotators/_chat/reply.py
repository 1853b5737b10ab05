"""What an endpoint sent back, and what it means: an answer, a fault of the request, or of the endpoint."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MOST_BYTES = 4 * 2**20
"""Of a reply that is read: an answer of 2,000 tokens is a thousandth of it."""
LONGEST_WAIT_S = 300.0
"""Honoured of a Retry-After; an endpoint that is away for longer is asked again meanwhile."""
_EXCERPT = 200
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum.{0,20}length|too (long|large|many tokens)"
    r"|max_model_len|input.{0,20}(length|tokens)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote. `truncated`: it reached max_tokens. `fault`: why there is no text to read."""

    text: str
    truncated: bool = False
    fault: str | None = None


Kind = Literal["busy", "gone", "broken", "format", "too_long", "barred", "unknown"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer.

    busy: it has too much to do (429, 503). gone: nobody there. broken: it failed on the way (5xx, a
    timeout, a connection cut). format, too_long: it refuses this request. barred: it lets nobody in.
    unknown: it has no such model or path.
    """

    kind: Kind
    reason: str
    wait_s: float | None = None


def read(status: int, headers: Mapping[str, str], data: bytes) -> Answer | Failure:
    """The meaning of a reply."""
    if status == 200:
        return _answer(data)
    said = _said(data)
    reason = f"HTTP {status}{f': {said}' if said else ''}"
    if status in (429, 503):
        return Failure("busy", reason, _wait_s(headers.get("Retry-After")))
    if status >= 500 or status == 408:
        return Failure("broken", reason, _wait_s(headers.get("Retry-After")))
    if status in (400, 413, 422):
        return Failure("too_long" if status == 413 or _TOO_LONG.search(said) else "format", reason)
    return Failure("unknown" if status in (404, 405) else "barred", reason)


def _answer(data: bytes) -> Answer:
    if len(data) > MOST_BYTES:
        return Answer("", fault=f"The reply is longer than {MOST_BYTES} bytes.")
    try:
        choice = json.loads(data)["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Answer("", fault="The reply is not one of the chat protocol.")
    if not isinstance(text, str):
        return Answer("", fault="The reply holds no text.")
    return Answer(text, truncated=finish == "length")


def _said(data: bytes) -> str:
    """What the server says of an error, on one short line."""
    text: object = None
    try:
        found = json.loads(data[:MOST_BYTES])
        error = found.get("error", found)
        text = error if isinstance(error, str) else error.get("message") or error.get("detail")
    except (ValueError, AttributeError, RecursionError):
        text = data[: 4 * _EXCERPT].decode("utf-8", "replace")
    return one_line(text if isinstance(text, str) else "")


def one_line(text: str) -> str:
    """Foreign text fit for a message: short, on one line, without control characters or markup."""
    plain = "".join(c if c.isprintable() and c not in "<>[]{}`" else " " for c in text[: 8 * _EXCERPT])
    return " ".join(plain.split())[:_EXCERPT].rstrip()


def _wait_s(value: str | None) -> float | None:
    """Retry-After, in seconds or as a date."""
    if value is None:
        return None
    try:
        wait_s = float(value)
    except ValueError:
        try:
            wait_s = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(wait_s, 0.0), LONGEST_WAIT_S) if wait_s == wait_s else None
