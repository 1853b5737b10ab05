"""Limits that are a number or a share of all there is."""

from __future__ import annotations

import math
import re

from pipeline.errors import OptionError

_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?%")


def allowed(name: str, limit: int | str | None, total: int) -> float:
    """How many of `total` may fail; OptionError for what is neither a number nor a share such as 1%."""
    if limit is None:
        return math.inf
    if isinstance(limit, str) and limit.isdecimal():
        limit = int(limit)
    if isinstance(limit, int):
        return float(limit)
    share = _SHARE.fullmatch(limit.strip())
    if share is None or float(share[1]) > 100:
        raise OptionError(f"limits.{name} takes a number, or a share such as 1%, not {limit!r}.")
    return total * float(share[1]) / 100
