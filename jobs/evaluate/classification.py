"""Calls of a class against the truth, for any attribute that is one of a few classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from jobs.evaluate.metric import Figure, Measured
from jobs.evaluate.report import Bin
from jobs.evaluate.statistics import MEAN, Points, Statistic, Weights

CALLS = "calls"
COVERAGE = "coverage"
_BINS = 10  # of confidence, each 0.1 wide


def call(classes: Sequence[str], truth: str, called: str, confidence: float | None) -> dict[str, Points]:
    """The points of one clip: columns truth and call (places in `classes`) and confidence (NaN: none)."""
    sure = math.nan if confidence is None else confidence
    places = [classes.index(truth), classes.index(called)]
    return {CALLS: np.array([[*places, sure]]), COVERAGE: np.ones(1)}


def no_call(reason: str, why: str | None = None, points: Mapping[str, Points] | None = None) -> Measured:
    """A labelled clip of which the run says nothing; `why` as its row says, `points` beside the coverage."""
    return Measured({COVERAGE: np.zeros(1), **(points or {})}, lacks=(f"{reason}, {why}" if why else reason,))


def confusion(points: Points, n_classes: int) -> list[list[int]]:
    """Counts, truth by call."""
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (points[:, 0].astype(int), points[:, 1].astype(int)), 1)
    return [[int(n) for n in line] for line in counts]


def _accuracy(points: Points) -> Callable[[Weights], float]:
    return MEAN.prepare((points[:, 0] == points[:, 1]).astype(float))


def _recall(points: Points) -> Callable[[Weights], float]:
    truth = points[:, 0].astype(int)
    right = (points[:, 0] == points[:, 1]).astype(float)

    def at(weights: Weights) -> float:
        totals = np.bincount(truth, weights)
        hits = np.bincount(truth, weights * right)
        return float((hits[totals > 0] / totals[totals > 0]).mean()) if totals.any() else math.nan

    return at


def _calibration(points: Points) -> Callable[[Weights], float]:
    """Guo et al. (2017): the mean distance of confidence from accuracy over bins, by their weight."""
    sure = points[:, 2]
    known = np.isfinite(sure)
    bins = np.minimum((np.where(known, sure, 0) * _BINS).astype(int), _BINS - 1)
    excess = np.where(known, sure - (points[:, 0] == points[:, 1]), 0)

    def at(weights: Weights) -> float:
        total = weights[known].sum()
        gaps = np.bincount(bins, weights * excess * known)
        return float(np.abs(gaps).sum() / total) if total else math.nan

    return at


def _n_sure(points: Points) -> int:
    return int(np.isfinite(points[:, 2]).sum())


def bins(points: Points) -> tuple[Bin, ...]:
    """Confidence and accuracy by bin of confidence; bins without clips are left out."""
    known = points[np.isfinite(points[:, 2])]
    places = np.minimum((known[:, 2] * _BINS).astype(int), _BINS - 1)
    right = known[:, 0] == known[:, 1]
    return tuple(
        Bin(float(known[places == b, 2].mean()), float(right[places == b].mean()), int((places == b).sum()))
        for b in np.unique(places)
    )


COVERED = Figure(COVERAGE, "%", "labelled clips of which the run says something", MEAN)

FIGURES = (
    COVERED,
    Figure("accuracy", "%", "clips whose class is right", Statistic(_accuracy), of=CALLS),
    Figure(
        "unweighted_recall",
        "%",
        "recall of each class that occurs, averaged: a majority class earns nothing",
        Statistic(_recall),
        of=CALLS,
    ),
    Figure(
        "calibration_error",
        "%",
        "expected distance of confidence from accuracy, ten bins of confidence",
        Statistic(_calibration, _n_sure),
        of=CALLS,
    ),
)
