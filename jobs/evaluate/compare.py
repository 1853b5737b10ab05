"""Every metric over every clip, one clip at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from itertools import islice
from types import MappingProxyType

from jobs.evaluate import age, captions, emotion, emphasis, enhancement, f0, gender, rate, snr, text, words
from jobs.evaluate.case import Case
from jobs.evaluate.report import Report, Some
from jobs.evaluate.tally import Tally

METRICS = (
    text.METRIC,
    words.METRIC,
    rate.METRIC,
    f0.METRIC,
    snr.METRIC,
    enhancement.METRIC,
    gender.METRIC,
    age.METRIC,
    emotion.METRIC,
    emphasis.METRIC,
    captions.METRIC,
)
_NAMED = 5  # ids


def evaluate(
    cases: Iterable[Case], not_in_run: Iterable[str] = (), broken: Mapping[int, str] = MappingProxyType({})
) -> Report:
    """Compare a run with labels. `not_in_run` (labels without a clip) is read after the cases; `broken` says
    why lines of the labels, by their number, are of no clip.

    Cases are read once and let go; a metric whose labels no clip carries has no table.
    """
    tallies = [Tally(metric) for metric in METRICS]
    n_clips, unlabelled = 0, []
    for case in cases:
        n_clips += 1
        if not case.labels:
            unlabelled.append(case.id)
        for tally in tallies:
            tally.add(case)
    tables = tuple(table for tally in tallies if (table := tally.table()) is not None)
    why = tuple(f"line {number} {text}" for number, text in islice(broken.items(), _NAMED))
    lost = _some(list(not_in_run))
    return Report(n_clips, _some(unlabelled), lost, tables, broken=Some(len(broken), why))


def _some(ids: list[str]) -> Some:
    return Some(len(ids), tuple(nsmallest(_NAMED, ids)))
