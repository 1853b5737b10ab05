"""Recognised age against the speaker's own."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.case import Case
from jobs.evaluate.labels import age_years
from jobs.evaluate.metric import AsGiven, Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import CORRELATION, MEAN
from pipeline.rows import AGE_GROUPS_FROM_YEARS, Speaker


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    truth = age_years(case.labels)
    if truth is None:
        return None
    row = case.maybe(Speaker)
    if "age_years" in case.given_used or (row and row.age_source == "given"):
        return AsGiven()
    if row is None or row.age_years is None:
        return Missing("no age")
    off = np.array([row.age_years - truth])
    of_truth, of_call = np.searchsorted(AGE_GROUPS_FROM_YEARS, (truth, row.age_years), "right")
    points = {
        "error": np.abs(off),
        "bias": off,
        "correlation": np.array([[truth, row.age_years]]),
        "group_accuracy": np.array([float(of_truth == of_call)]),
    }
    return Measured(points)


METRIC = Metric(
    name="age",
    title="Age",
    definition=(
        "Reference: `age` in years, or a decade in words. Teenager, young adult, middle-aged and elderly "
        "begin at " + ", ".join(f"{years:.0f}" for years in AGE_GROUPS_FROM_YEARS) + "."
    ),
    figures=(
        Figure("error", "years", "mean absolute error", MEAN),
        Figure("bias", "years", "mean signed error", MEAN),
        Figure("correlation", "", "Pearson's correlation of estimate and reference over clips", CORRELATION),
        Figure("group_accuracy", "%", "clips whose age falls into the right group", MEAN),
    ),
    measure=_measure,
)
