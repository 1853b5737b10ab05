"""Recognised gender against the speaker's own."""

from __future__ import annotations

from jobs.evaluate.case import Case
from jobs.evaluate.classification import FIGURES, call, no_call
from jobs.evaluate.labels import gender
from jobs.evaluate.metric import AsGiven, Measured, Metric, Missing
from pipeline.rows import Speaker

_CLASSES = ("female", "male")


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    truth = gender(case.labels)
    if truth is None:
        return None
    row = case.maybe(Speaker)
    if "gender" in case.given_used or (row and row.gender_source == "given"):
        return AsGiven()
    if row is None or row.gender is None:
        return no_call("no gender")
    return Measured(call(_CLASSES, truth, row.gender, row.gender_confidence))


METRIC = Metric(
    name="gender",
    title="Gender",
    definition="Reference: `gender`. A clip of which the run says nothing is not covered, and not wrong.",
    figures=FIGURES,
    measure=_measure,
    classes=_CLASSES,
)
