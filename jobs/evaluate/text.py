"""Recognised text against what was said."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.alignment import errors, tokens
from jobs.evaluate.case import Case
from jobs.evaluate.labels import text
from jobs.evaluate.metric import AsGiven, Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import RATIO
from pipeline.rows import Transcript
from pipeline.text import script_of

_BY_CHARACTER = frozenset({"han", "kana"})
_KINDS = ("substitutions", "deletions", "insertions")


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    reference = tokens(text(case.labels, "text") or "")
    if not reference:
        return None
    if case.text_origin == "given":
        return AsGiven()
    transcript = case.maybe(Transcript)
    if transcript is None:
        return Missing("no transcript")
    found = tokens(transcript.transcript)
    if script_of(" ".join(reference)) in _BY_CHARACTER:
        reference, found, rate = list("".join(reference)), list("".join(found)), "cer"
    else:
        rate = "wer"
    wrong = errors(reference, found)
    points = {rate: np.array([[sum(wrong), len(reference)]], dtype=float)}
    points |= {k: np.array([[n, len(reference)]], dtype=float) for k, n in zip(_KINDS, wrong, strict=True)}
    return Measured(points)


METRIC = Metric(
    name="text",
    title="Transcript",
    definition=(
        "Reference: `text`. Both texts are case folded; apostrophes are dropped, other punctuation parts "
        "words, numbers stay as they are written. Errors are summed over clips before they are divided."
    ),
    figures=(
        Figure("wer", "%", "word errors, of the reference words (Latin and other alphabets)", RATIO),
        Figure("cer", "%", "character errors, of the reference characters (Chinese, Japanese)", RATIO),
        *(Figure(kind, "%", f"{kind}, of the reference words or characters", RATIO) for kind in _KINDS),
    ),
    measure=_measure,
)
