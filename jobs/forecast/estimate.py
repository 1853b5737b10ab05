"""A ratio of two quantities over shards, with how far it may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its interval; no interval (None) where fewer than two shards tell."""

    value: float
    low: float | None = None
    high: float | None = None

    def times(self, factor: float) -> Estimate:
        """The estimate of so many times as much."""
        low, high = (None if v is None else v * factor for v in (self.low, self.high))
        return Estimate(self.value * factor, low, high)

    def plus(self, constant: float) -> Estimate:
        """The estimate of so much more."""
        low, high = (None if v is None else v + constant for v in (self.low, self.high))
        return Estimate(self.value + constant, low, high)

    def facts(self) -> dict[str, float | None]:
        """For JSON."""
        return {"value": _short(self.value), "low": _short(self.low), "high": _short(self.high)}


def ratio(amounts: Sequence[float], per: Sequence[float]) -> Estimate:
    """Sum of amounts over sum of `per`, one pair a shard, at 95 %.

    The interval is that of a ratio estimate over clusters (Cochran, Sampling Techniques, 1977, 6.3), with
    Student's t, cut off at zero.
    """
    y, x = np.asarray(amounts, float), np.asarray(per, float)
    if x.sum() <= 0:
        return Estimate(0.0)
    value = float(y.sum() / x.sum())
    n = len(x)
    if n < 2:
        return Estimate(value)
    error = math.sqrt(float(np.sum((y - value * x) ** 2)) / (n - 1) / n) / float(x.mean())
    reach = float(student.ppf(0.5 + CONFIDENCE / 2, n - 1)) * error
    return Estimate(value, max(0.0, value - reach), value + reach)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
