"""Recognised gender against the speaker's own."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.age import CHILD_UNDER_YEARS
from jobs.evaluate.case import Case
from jobs.evaluate.classification import FIGURES, call, no_call
from jobs.evaluate.labels import age_years, gender
from jobs.evaluate.metric import AsGiven, Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import MEAN, Points
from pipeline.rows import Speaker

_CLASSES = ("female", "male")
_GROWN_COVERED, _GROWN_RIGHT = "coverage_from_13", "accuracy_from_13"
_GROWN = f"clips of those labelled {CHILD_UNDER_YEARS:.0f} and older, or without an age"


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    truth = gender(case.labels)
    if truth is None:
        return None
    row = case.maybe(Speaker)
    if "gender" in case.given_used or (row and row.gender_source == "given"):
        return AsGiven()
    years = age_years(case.labels)
    grown = years is None or years >= CHILD_UNDER_YEARS
    if row is None or row.gender is None:
        return no_call("no gender", row.gender_source if row else None, _grown(None) if grown else {})
    said = call(_CLASSES, truth, row.gender, row.gender_confidence)
    return Measured(said | (_grown(row.gender == truth) if grown else {}))


def _grown(right: bool | None) -> dict[str, Points]:
    """The points of a clip whose speaker is no child; `right` is None where it has no call."""
    if right is None:
        return {_GROWN_COVERED: np.zeros(1)}
    return {_GROWN_COVERED: np.ones(1), _GROWN_RIGHT: np.array([float(right)])}


METRIC = Metric(
    name="gender",
    title="Gender",
    definition=(
        "Reference: `gender`. A clip of which the run says nothing is not covered, and not wrong. Children's "
        "voices tell little of it, so there are figures without them, too."
    ),
    figures=(
        *FIGURES,
        Figure(_GROWN_COVERED, "%", f"coverage of {_GROWN}", MEAN),
        Figure(_GROWN_RIGHT, "%", f"accuracy over {_GROWN}", MEAN),
    ),
    measure=_measure,
    classes=_CLASSES,
)
