"""Reading label columns: None where a column is absent or is of another shape than the metric reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Labels = Mapping[str, object]


class Mark(NamedTuple):
    """A hand-marked piece of a recording."""

    label: str
    start_s: float
    end_s: float


def number(labels: Labels, name: str) -> float | None:
    """A finite number."""
    return _finite(labels.get(name))


def text(labels: Labels, name: str) -> str | None:
    """A text that is not blank."""
    value = labels.get(name)
    return value if isinstance(value, str) and value.strip() else None


def curve(labels: Labels, name: str) -> npt.NDArray[np.float64] | None:
    """A list of finite numbers, [n]."""
    value = labels.get(name)
    if not isinstance(value, list) or not value:
        return None
    numbers = [n for n in map(_finite, value) if n is not None]
    return np.array(numbers) if len(numbers) == len(value) else None


def marks(labels: Labels, name: str) -> list[Mark] | None:
    """A list of `{label, start, end}` in seconds, in the order of their starts."""
    value = labels.get(name)
    if not isinstance(value, list) or not value:
        return None
    found = [m for m in map(_mark, value) if m is not None]
    return sorted(found, key=lambda m: m.start_s) if len(found) == len(value) else None


def _mark(value: object) -> Mark | None:
    if not isinstance(value, Mapping):
        return None
    label, start, end = value.get("label"), _finite(value.get("start")), _finite(value.get("end"))
    if not isinstance(label, str) or start is None or end is None or end < start:
        return None
    return Mark(label, start, end)


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
