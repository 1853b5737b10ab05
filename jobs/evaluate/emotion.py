"""Recognised mood against the labelled one."""

from __future__ import annotations

from typing import get_args

from annotators.emotion._domains import emotion_class
from jobs.evaluate.case import Case
from jobs.evaluate.classification import FIGURES, call, no_call
from jobs.evaluate.labels import text
from jobs.evaluate.metric import AsGiven, Measured, Metric, Missing
from pipeline.rows import Emotion, Emotions

_CLASSES: tuple[str, ...] = get_args(Emotions)


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    truth = emotion_class(text(case.labels, "emotion") or "")
    if truth is None:
        return None
    row = case.maybe(Emotion)
    if "emotion" in case.given_used or (row and row.emotion_source == "given"):
        return AsGiven()
    if row is None or row.emotion is None:
        return no_call("no emotion")
    return Measured(call(_CLASSES, truth, row.emotion, row.emotion_confidence))


METRIC = Metric(
    name="emotion",
    title="Emotion",
    definition=(
        "Reference: `emotion`, any word for a class that a source may use; boredom, contempt and what else "
        "is none of the classes counts as `other`."
    ),
    figures=FIGURES,
    measure=_measure,
    classes=_CLASSES,
)
