"""The word found most stressed, and how prominent every word is, against listeners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jobs.evaluate.alignment import key, matches
from jobs.evaluate.case import Case
from jobs.evaluate.classification import COVERAGE, COVERED
from jobs.evaluate.labels import Labels, listed, number, text
from jobs.evaluate.metric import AsGiven, Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import CORRELATION, MEAN, Points
from pipeline.rows import Emphasis, Words

MOST_ALIGN_COST = 4.0
"""Labels whose words fit the transcript worse than this many edits are not used, as their makers advise."""


def prominences(labels: Labels) -> list[tuple[str, float]] | None:
    """Each word with its prominence to listeners; one word alone stands 1 above the others' 0.

    None where the clip has no such labels, or they fit its words badly.
    """
    if (number(labels, "emphasis_align_cost") or 0.0) > MOST_ALIGN_COST:
        return None
    marked = [_marked(value) for value in listed(labels, "emphasis") or ()]
    found = [pair for pair in marked if pair is not None]
    if found and len(found) == len(marked) and len({value for _, value in found}) > 1:
        return found
    word = text(labels, "emphasis_word")
    return [(word, 1.0)] if word else None


def _marked(value: object) -> tuple[str, float] | None:
    if not isinstance(value, Mapping):
        return None
    word, prominence = value.get("word"), number(value, "prominence")
    return (word, prominence) if isinstance(word, str) and prominence is not None else None


def _measure(case: Case) -> Measured | Missing | AsGiven | None:
    reference = prominences(case.labels)
    if reference is None:
        return None
    row, words = case.maybe(Emphasis), case.maybe(Words)
    if "emphasis_word" in case.given_used or (row and row.emphasis_source == "given"):
        return AsGiven()
    if row is None or words is None:
        return Missing("no emphasis" if row is None else "no words")
    spoken = [word.word for word in words.words]
    pairs = list(matches([word for word, _ in reference], spoken))
    if not pairs:
        return Missing("no word of the labels is a word of the run")
    top = _top(reference)
    points: dict[str, Points] = {COVERAGE: np.array([float(row.emphasis_word is not None)])}
    if row.emphasis_word is not None:
        points["top1"] = np.array([float(_is_top(row.emphasis_index, row.emphasis_word, pairs, top))])
    if row.emphasis_scores:
        best = int(np.argmax(row.emphasis_scores))
        points["top1_of_all"] = np.array([float(_is_top(best, spoken[best], pairs, top))])
        points["by_chance"] = np.array([len(top) / len(spoken)])
        if len(reference) > 1:
            points["correlation"] = np.array([[reference[i][1], row.emphasis_scores[j]] for i, j in pairs])
    return Measured(points, lacks=() if row.emphasis_word else ("no word stressed enough",))


def _top(reference: Sequence[tuple[str, float]]) -> dict[int, str]:
    highest = max(value for _, value in reference)
    return {i: key(word) for i, (word, value) in enumerate(reference) if value == highest}


def _is_top(place: int | None, word: str, pairs: Sequence[tuple[int, int]], top: Mapping[int, str]) -> bool:
    """By its place in the run; by its letters where that is unknown, or one word alone is labelled."""
    if place is None or len(pairs) == 1:
        return key(word) in top.values()
    return any(j == place and i in top for i, j in pairs)


METRIC = Metric(
    name="emphasis",
    title="Emphasis",
    definition=(
        "Reference: `emphasis`, each word with its `prominence` to listeners, where `emphasis_align_cost` is "
        "at most 4; or `emphasis_word`. Of words equally prominent any is right. Words are matched in order."
    ),
    figures=(
        COVERED,
        Figure("top1", "%", "of the clips covered, those whose stressed word is the most prominent", MEAN),
        Figure("top1_of_all", "%", "clips whose word of the highest score is the most prominent", MEAN),
        Figure("by_chance", "%", "what a word drawn at random would reach", MEAN),
        Figure("correlation", "", "Pearson's correlation of score and prominence over words", CORRELATION),
    ),
    measure=_measure,
)
