"""Recognised age against the speaker's own."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.case import Case
from jobs.evaluate.classification import COVERAGE, COVERED, no_call
from jobs.evaluate.labels import age_years
from jobs.evaluate.metric import AsGiven, Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import CORRELATION, MEAN
from pipeline.rows import AGE_GROUPS_FROM_YEARS, Speaker

CHILD_UNDER_YEARS, ADULT_FROM_YEARS = AGE_GROUPS_FROM_YEARS[:2]


def _as_child(row: Speaker) -> bool:
    """By the model's own probability of a child; else by the years, half way between child and adult."""
    if row.child_probability is not None:
        return row.child_probability >= 0.5
    return row.age_years is not None and row.age_years < (CHILD_UNDER_YEARS + ADULT_FROM_YEARS) / 2


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    truth = age_years(case.labels)
    if truth is None:
        return None
    row = case.maybe(Speaker)
    if "age_years" in case.given_used or (row and row.age_source == "given"):
        return AsGiven()
    if row is None or row.age_years is None:
        return no_call("no age", row.age_source if row else None)
    off = np.array([row.age_years - truth])
    of_truth, of_call = np.searchsorted(AGE_GROUPS_FROM_YEARS, (truth, row.age_years), "right")
    points = {
        "error": np.abs(off),
        "bias": off,
        "correlation": np.array([[truth, row.age_years]]),
        "group_accuracy": np.array([float(of_truth == of_call)]),
        COVERAGE: np.ones(1),
    }
    if truth < CHILD_UNDER_YEARS or truth >= ADULT_FROM_YEARS:
        points["child_or_adult"] = np.array([float((truth < CHILD_UNDER_YEARS) == _as_child(row))])
    return Measured(points)


METRIC = Metric(
    name="age",
    title="Age",
    definition=(
        "Reference: `age` in years, or a decade in words. Teenager, young adult, middle-aged and elderly "
        "begin at " + ", ".join(f"{years:.0f}" for years in AGE_GROUPS_FROM_YEARS) + "."
    ),
    figures=(
        COVERED,
        Figure("error", "years", "mean absolute error", MEAN),
        Figure("bias", "years", "mean signed error", MEAN),
        Figure("correlation", "", "Pearson's correlation of estimate and reference over clips", CORRELATION),
        Figure("group_accuracy", "%", "clips whose age falls into the right group", MEAN),
        Figure("child_or_adult", "%", "children and adults told apart; teenagers are left out", MEAN),
    ),
    measure=_measure,
)
