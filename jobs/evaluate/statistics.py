"""From points to one number, and how sure it is.

A statistic is prepared once for its points and then takes weights, so that a bootstrap replicate
costs one weighted sum: a point drawn twice weighs two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]  # [n_points] or [n_points, n_columns]
Weights = npt.NDArray[np.float64]  # [n_points]
Clusters = npt.NDArray[np.intp]  # [n_points], the cluster each point belongs to, 0..n_clusters-1

N_REPLICATES = 1000
_SEED = 20240914
_TAILS = (2.5, 97.5)  # the 95 % percentile interval


@dataclass(frozen=True, slots=True)
class Statistic:
    """`prepare(points)(weights)` is the value, NaN where undefined; `count` says what `n` is."""

    prepare: Callable[[Points], Callable[[Weights], float]]
    count: Callable[[Points], int] = len


def value(statistic: Statistic, points: Points) -> float | None:
    """The statistic of points that all weigh the same."""
    return _defined(statistic.prepare(points)(np.ones(len(points))))


def interval(statistic: Statistic, points: Points, clusters: Clusters) -> tuple[float, float] | None:
    """The 95 % interval of the statistic when whole clusters are drawn with replacement.

    None with fewer than two clusters, or where the statistic is undefined in most replicates.
    """
    n_clusters = int(clusters.max()) + 1 if len(clusters) else 0
    if n_clusters < 2:
        return None
    at = statistic.prepare(points)
    rng = np.random.default_rng(_SEED)
    even = np.full(n_clusters, 1 / n_clusters)
    drawn = [at(rng.multinomial(n_clusters, even)[clusters].astype(float)) for _ in range(N_REPLICATES)]
    defined = [v for v in drawn if math.isfinite(v)]
    if len(defined) < N_REPLICATES / 2:
        return None
    low, high = np.percentile(defined, _TAILS)
    return float(low), float(high)


def _mean(points: Points) -> Callable[[Weights], float]:
    return lambda weights: _quotient(float(weights @ points), float(weights.sum()))


def _ratio(points: Points) -> Callable[[Weights], float]:
    return lambda weights: _quotient(*map(float, weights @ points))


def _median(points: Points) -> Callable[[Weights], float]:
    order = np.argsort(points, kind="stable")
    ordered = points[order]

    def at(weights: Weights) -> float:
        below = np.cumsum(weights[order])
        if not len(below) or below[-1] == 0:
            return math.nan
        half = below[-1] / 2  # the mean of the two middle points where exactly half lies below
        low, high = np.searchsorted(below, half, "left"), np.searchsorted(below, half, "right")
        return float((ordered[low] + ordered[high]) / 2)

    return at


def _correlation(points: Points) -> Callable[[Weights], float]:
    def at(weights: Weights) -> float:
        total = weights.sum()
        if total == 0:
            return math.nan
        centred = points - (weights @ points) / total
        x, y = centred.T
        spread = (weights @ x**2) * (weights @ y**2)
        return float(weights @ (x * y) / math.sqrt(spread)) if spread > 0 else math.nan

    return at


def _quotient(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _defined(number: float) -> float | None:
    return number if math.isfinite(number) else None


MEAN = Statistic(_mean)
MEDIAN = Statistic(_median)
RATIO = Statistic(_ratio, lambda points: round(points[:, 1].sum()))
"""Of columns (part, whole), summed before they are divided; `n` is the sum of the wholes."""
CORRELATION = Statistic(_correlation)
"""Pearson's, of two columns."""
