"""Word times against hand-marked ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jobs.evaluate.alignment import key, matches
from jobs.evaluate.case import Case
from jobs.evaluate.labels import Mark, marks
from jobs.evaluate.metric import Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import MEAN, MEDIAN, RATIO
from pipeline.rows import Word, Words

_WITHIN_MS = (20, 50, 100)
_EDGES = {"boundary": "starts and ends", "start": "starts", "end": "ends"}


def edge_errors_ms(reference: list[Mark], found: tuple[Word, ...]) -> npt.NDArray[np.float64]:
    """Found minus marked, in ms, of each matched word: [n_matched, 2], start and end."""
    pairs = matches([m.label for m in reference], [w.word for w in found])
    offs = [
        (1000 * (found[j].start_s - reference[i].start_s), 1000 * (found[j].end_s - reference[i].end_s))
        for i, j in pairs
    ]
    return np.array(offs, dtype=float).reshape(-1, 2)


def _points(errors_ms: npt.NDArray[np.float64], edge: str) -> dict[str, npt.NDArray[np.float64]]:
    off = np.abs(errors_ms)
    shares = {f"{edge}_within_{ms}_ms": (off <= ms).astype(float) for ms in _WITHIN_MS}
    return {f"{edge}_error": off, f"{edge}_bias": errors_ms, **shares}


def _measure(case: Case) -> Measured | Missing | None:
    reference = marks(case.labels, "words")
    n_reference = sum(bool(key(m.label)) for m in reference or ())
    if reference is None or n_reference == 0:
        return None
    row = case.maybe(Words)
    if row is None:
        return Missing("no words")
    errors_ms = edge_errors_ms(reference, row.words)
    points = {
        "matched": np.array([[len(errors_ms), n_reference]], dtype=float),
        **_points(errors_ms.ravel(), "boundary"),
        **_points(errors_ms[:, 0], "start"),
        **_points(errors_ms[:, 1], "end"),
    }
    return Measured(points, {"text": case.text_origin})


def _figures(edge: str, what: str) -> tuple[Figure, ...]:
    return (
        Figure(f"{edge}_error", "ms", f"median absolute error of {what}", MEDIAN),
        *(Figure(f"{edge}_within_{ms}_ms", "%", f"{what} at most {ms} ms off", MEAN) for ms in _WITHIN_MS),
        Figure(f"{edge}_bias", "ms", f"mean signed error of {what}; positive is late", MEAN),
    )


METRIC = Metric(
    name="words",
    title="Word times",
    definition=(
        "Reference: `words`, each with label, start and end. Words are matched in order by an alignment of "
        "least edit distance over case-folded words without punctuation; only equal words are compared."
    ),
    figures=(
        Figure("matched", "%", "reference words found in the run, of all reference words", RATIO),
        *(figure for edge, what in _EDGES.items() for figure in _figures(edge, what)),
    ),
    measure=_measure,
)
