"""Reading label columns: None where a column is absent or is of another shape than the metric reads.

Tables without types hold everything as text: there a number may be written out, and a list as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.source.given import age_of, gender_of, number_of, word_of

Labels = Mapping[str, object]


class Mark(NamedTuple):
    """A hand-marked piece of a recording."""

    label: str
    start_s: float
    end_s: float


def number(labels: Labels, name: str) -> float | None:
    """A finite number."""
    return number_of(labels.get(name))


def text(labels: Labels, name: str) -> str | None:
    """A text that is not blank."""
    value = labels.get(name)
    return value if isinstance(value, str) and value.strip() else None


def speaker(labels: Labels) -> str | None:
    """The speaker's name, which may be a number."""
    return word_of(labels.get("speaker"))


def gender(labels: Labels) -> str | None:
    """`female` or `male`, by the words that a source may use for them."""
    return gender_of(labels.get("gender"))


def age_years(labels: Labels) -> float | None:
    """`age`, as a source may write it."""
    return age_of(labels.get("age"))


def curve(labels: Labels, name: str) -> npt.NDArray[np.float64] | None:
    """A list of numbers, one of them finite, [n]; NaN where it holds null, NaN or an infinity."""
    values = listed(labels, name)
    if values is None or not all(v is None or _is_number(v) for v in values):
        return None
    numbers = np.array([math.nan if (n := number_of(v)) is None else n for v in values])
    return numbers if np.isfinite(numbers).any() else None


def marks(labels: Labels, name: str) -> list[Mark] | None:
    """A list of `{label, start, end}` in seconds, in the order of their starts."""
    found = [_mark(value) for value in listed(labels, name) or ()]
    whole = [m for m in found if m is not None]
    return sorted(whole, key=lambda m: m.start_s) if found and len(whole) == len(found) else None


def _mark(value: object) -> Mark | None:
    if not isinstance(value, Mapping):
        return None
    label, start, end = value.get("label"), number_of(value.get("start")), number_of(value.get("end"))
    if not isinstance(label, str) or start is None or end is None or end < start:
        return None
    return Mark(label, start, end)


def listed(labels: Labels, name: str) -> list[object] | None:
    """A list that is not empty."""
    value = labels.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) and value else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
