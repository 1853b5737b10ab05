"""Bounds between low, normal and high: read, checked, and made from a corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import yaml

from pipeline.errors import OptionError, unknown

Bounds = tuple[float, float]  # under the first is low, above the second is high
Thresholds = Mapping[str, Mapping[str, Bounds]]  # measure -> group -> bounds

PITCH, ENERGY, SPEED = "pitch_hz", "energy_dbfs", "speed_per_s"
REFERENCE = Path(__file__).with_name("reference.json")

_REMARKS = frozenset({"percentiles", "source"})
_FIXED_GROUPS = {PITCH: ("all", "female", "male"), ENERGY: ("all",)}  # a speed group may be any language
_DECIMALS = 3
_HEARD_RATIO = {PITCH: 2 ** (1 / 12), SPEED: 1.05}  # a semitone; 5 % of tempo (Quené 2007)
_HEARD_DB = 1.0  # of energy


@cache
def reference() -> Thresholds:
    """The built-in thresholds."""
    return parsed(read(str(REFERENCE)))


def read(path: str) -> Mapping[str, object]:
    """A YAML or JSON file of thresholds, local or any fsspec URL. Raises OptionError if it is not one."""
    try:
        with fsspec.open(path, "rt", encoding="utf-8") as file:
            found: Any = yaml.safe_load(file)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise OptionError(f"The file of thresholds {path} cannot be read: {error}") from error
    if not isinstance(found, Mapping):
        raise OptionError(f"The file of thresholds {path} holds no mapping of measures.")
    return found


def parsed(given: Mapping[str, object]) -> Thresholds:
    """Thresholds as a file or `calibrated` gives them: measure -> group -> low and high.

    Raises OptionError for a measure or group that does not exist and for anything but two numbers in order.
    """
    found: dict[str, dict[str, Bounds]] = {}
    for measure, groups in given.items():
        if measure in _REMARKS:
            continue
        if measure not in (PITCH, ENERGY, SPEED):
            raise unknown("measure with thresholds", str(measure), (PITCH, ENERGY, SPEED))
        if not isinstance(groups, Mapping):
            raise OptionError(f"labels.thresholds takes groups for {measure}, not {groups!r}.")
        found[measure] = {str(g): _bounds(measure, str(g), span) for g, span in groups.items()}
    return found


def merged(base: Thresholds, over: Thresholds) -> Thresholds:
    """`base`, with what `over` has in its place."""
    return {measure: {**groups, **over.get(measure, {})} for measure, groups in base.items()}


def calibrated(
    measure: str, groups: Mapping[str, Sequence[float]], percentiles: Bounds, min_clips: int
) -> dict[str, dict[str, object]]:
    """Bounds per group, with the number of values and where they come from.

    A group with fewer than `min_clips` values has the reference's; one the reference lacks is left out.
    """
    found: dict[str, dict[str, object]] = {}
    for group, values in sorted(groups.items()):
        if len(values) >= min_clips:
            (low, high), origin = _outside_the_middle(measure, values, percentiles), "corpus"
        elif group in reference()[measure]:
            (low, high), origin = reference()[measure][group], "reference"
        else:
            continue
        found[group] = {"high": high, "low": low, "n": len(values), "origin": origin}
    return found


def _outside_the_middle(measure: str, values: Sequence[float], percentiles: Bounds) -> Bounds:
    """The percentiles, or further out where nobody would hear the difference from the median.

    Rounded outwards, so that a corpus of equal values lies between them.
    """
    low, median, high = np.percentile(np.sort(values), (percentiles[0], 50, percentiles[1]))
    if measure == ENERGY:
        low, high = min(low, median - _HEARD_DB), max(high, median + _HEARD_DB)
    else:
        low, high = min(low, median / _HEARD_RATIO[measure]), max(high, median * _HEARD_RATIO[measure])
    scale = 10**_DECIMALS
    return math.floor(low * scale) / scale, math.ceil(high * scale) / scale


def _bounds(measure: str, group: str, span: object) -> Bounds:
    groups = _FIXED_GROUPS.get(measure)
    if groups is not None and group not in groups:
        raise unknown(f"group of {measure}", group, groups)
    if isinstance(span, Mapping):
        low, high = span.get("low"), span.get("high")
        if isinstance(low, int | float) and isinstance(high, int | float) and low <= high:
            return float(low), float(high)
    raise OptionError(f"labels.thresholds takes low and high, in order, for {measure}.{group}, not {span!r}.")
