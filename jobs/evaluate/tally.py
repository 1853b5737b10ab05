"""Clips into a table: what each contributes is kept, its sound and rows are not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.evaluate.case import Case
from jobs.evaluate.classification import CALLS, COVERAGE, bins, confusion
from jobs.evaluate.labels import gender, speaker
from jobs.evaluate.metric import AsGiven, Figure, Measured, Metric, Missing
from jobs.evaluate.report import Confusion, Result, Split, Table
from jobs.evaluate.statistics import Points, interval, value

FEWEST_SPEAKERS = 4
"""Drawn from n speakers, the lowest comes n times at once in n**-n of the draws: of three in 3.7 %, so that
a 95 % interval would be the range of the speakers and say nothing of others."""


@dataclass(frozen=True, slots=True)
class _Clip:
    id: str
    cluster: tuple[str, str]
    groups: Mapping[str, str]
    points: Mapping[str, Points]


class Tally:
    """The clips of one metric, in any order: the table does not depend on it."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._clips: list[_Clip] = []
        self._missing: Counter[str] = Counter()
        self._groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._n_given = self._n_labelled = 0

    def add(self, case: Case) -> None:
        """Measure one clip."""
        outcome = self._metric.measure(case)
        if outcome is None:
            return
        self._n_labelled += 1
        match outcome:
            case AsGiven():
                self._n_given += 1
            case Missing(reason):
                self._missing[reason] += 1
            case Measured():
                self._missing.update(outcome.lacks)
                for name, group in outcome.groups.items():
                    self._groups[name][group] += 1
                self._clips.append(_clip(case, outcome))

    def table(self) -> Table | None:
        """None where no clip carried the labels."""
        if not self._n_labelled:
            return None
        clips = sorted(self._clips, key=lambda clip: clip.id)
        return Table(
            name=self._metric.name,
            title=self._metric.title,
            definition=self._metric.definition,
            n_labelled=self._n_labelled,
            n_measured=sum(any(not name.startswith(COVERAGE) for name in clip.points) for clip in clips),
            n_given=self._n_given,
            missing=dict(sorted(self._missing.items())),
            groups={name: dict(sorted(counts.items())) for name, counts in sorted(self._groups.items())},
            results=tuple(
                _result(figure, with_points)
                for figure in self._metric.figures
                if (with_points := [c for c in clips if figure.points in c.points])
            ),
            confusion=_confusion(self._metric, clips),
            calibration=bins(calls) if (calls := _calls(self._metric, clips)) is not None else (),
        )


def _clip(case: Case, measured: Measured) -> _Clip:
    spoken_by = speaker(case.labels)
    groups = {"gender": gender(case.labels), "speaker": spoken_by, **measured.groups}
    return _Clip(
        id=case.id,
        cluster=("speaker", spoken_by) if spoken_by else ("clip", case.id),
        groups={name: value for name, value in groups.items() if value is not None},
        points=measured.points,
    )


def _result(figure: Figure, clips: Sequence[_Clip]) -> Result:
    points = _points(figure, clips)
    places, unit = _clusters(clips)
    sizes = [len(clip.points[figure.points]) for clip in clips]
    bounds = interval(figure.statistic, points, np.repeat(places, sizes))
    low, high = bounds or (None, None)
    return Result(
        name=figure.name,
        unit=figure.unit,
        definition=figure.definition,
        value=_in_unit(figure, value(figure.statistic, points)),
        low=_in_unit(figure, low),
        high=_in_unit(figure, high),
        n=figure.statistic.count(points),
        n_clips=len(clips),
        n_clusters=len(set(places)),
        clusters=unit,
        splits=_splits(figure, clips),
    )


def _clusters(clips: Sequence[_Clip]) -> tuple[list[int], str]:
    """The cluster of each clip, and what clusters are: speakers, or clips where speakers are too few.

    A clip whose speaker is unknown is a cluster of its own.
    """
    place = {cluster: i for i, cluster in enumerate(sorted({clip.cluster for clip in clips}))}
    kinds = [kind for kind, _ in place]
    if kinds.count("speaker") < FEWEST_SPEAKERS:
        return list(range(len(clips))), "clips"
    return [place[clip.cluster] for clip in clips], "speakers"


def _splits(figure: Figure, clips: Sequence[_Clip]) -> dict[str, dict[str, Split]]:
    """By every property with at least two values."""
    parts: defaultdict[str, defaultdict[str, list[_Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        for name, group in clip.groups.items():
            parts[name][group].append(clip)
    return {
        name: {group: _split(figure, part) for group, part in sorted(groups.items())}
        for name, groups in sorted(parts.items())
        if len(groups) > 1
    }


def _split(figure: Figure, clips: Sequence[_Clip]) -> Split:
    points = _points(figure, clips)
    return Split(
        _in_unit(figure, value(figure.statistic, points)), figure.statistic.count(points), len(clips)
    )


def _points(figure: Figure, clips: Sequence[_Clip]) -> Points:
    return np.concatenate([clip.points[figure.points] for clip in clips])


def _in_unit(figure: Figure, number: float | None) -> float | None:
    return 100 * number if number is not None and figure.unit == "%" else number


def _confusion(metric: Metric, clips: Sequence[_Clip]) -> Confusion | None:
    calls = _calls(metric, clips)
    if calls is None:
        return None
    counts = confusion(calls, len(metric.classes))
    return Confusion(metric.classes, tuple(tuple(line) for line in counts))


def _calls(metric: Metric, clips: Sequence[_Clip]) -> Points | None:
    calls = [clip.points[CALLS] for clip in clips if CALLS in clip.points]
    return np.concatenate(calls) if metric.classes and calls else None
