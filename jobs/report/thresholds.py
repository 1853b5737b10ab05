"""The thresholds a run made its labels by, as its record tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotators.labels._bounds import Thresholds, merged, parsed, read, reference
from pipeline.rows import AGE_GROUPS_FROM_YEARS


def thresholds_of(record: Mapping[str, Any]) -> Thresholds:
    """By measure and group; nothing where the run made no labels."""
    options = _options(record)
    if options is None:
        return {}
    given = options.get("thresholds") or {}
    return merged(reference(), parsed(read(given) if isinstance(given, str) else given))


def age_bounds_years(record: Mapping[str, Any]) -> tuple[float, ...]:
    """Where teenager, young adult, middle-aged and elderly begin."""
    options = _options(record) or {}
    return tuple(options.get("age_bounds_years", AGE_GROUPS_FROM_YEARS))


def _options(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    ways = record["annotators"].get("labels", [])
    return ways[0]["options"] if ways else None
