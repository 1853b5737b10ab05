"""Which clips are shown: a varied few, the least certain, some that failed. Seeded, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.captions.sample import Sample, rank
from jobs.report.columns import CONFIDENCES, OTHER, VARIED
from pipeline.join import root_cause

VARIED_SHOWN, UNSURE_SHOWN, FAILED_SHOWN = 12, 6, 4
CANDIDATES = 2_000
SHORT_S, LONG_S = 1.5, 12.0
"""Examples are between these where there are any: long enough to tell, short enough to embed."""
EASY_S = (2.5, 6.0)
CLEAN_DB = 25.0
KEPT_UNSURE = 24
"""Clips of lowest confidence that are kept of each kind: the first may be shown for another reason."""
MOST_VALUES = 200
"""Values of an attribute each of which has a candidate of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip stands: the number of its shard in the run, and its row there."""

    shard: int
    row: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A clip to show, and why it is shown."""

    id: str
    place: Place
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: str
    place: Place
    rank: int
    marks: tuple[str, ...]
    tells: int
    says_all: bool


_Ranked = tuple[int, _Candidate, str]


class Candidates:
    """Sees every row once. The order of rows does not matter."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._sample: Sample[_Candidate] = Sample(CANDIDATES, seed)
        self._others: Sample[_Candidate] = Sample(VARIED_SHOWN, seed)
        self._rare: dict[str, _Ranked] = {}
        self._unsure: dict[str, list[tuple[float, int, _Candidate]]] = {}
        self._failed: dict[str, _Ranked] = {}

    def add(self, row: Mapping[str, Any], place: Place) -> None:
        """Consider a clip."""
        one = _Candidate(row["id"], place, rank(self._seed, row["id"]), tuple(_marks(row)), *_tells(row))
        if row["status"] == "failed":
            error = root_cause(row["error"])
            _keep(self._failed, ":".join(error.split(":")[:2]), (one.rank, one, error))
            return
        if SHORT_S <= (row.get("duration_s") or 0.0) <= LONG_S:
            self._sample.add(one.id, one)
            for mark in one.marks:
                _keep(self._rare, mark, (one.rank, one, mark))
        else:
            self._others.add(one.id, one)
        for column in CONFIDENCES:
            if (confidence := row.get(column)) is not None:
                lowest = self._unsure.setdefault(column, [])
                lowest.append((confidence, one.rank, one))
                lowest.sort(key=lambda entry: entry[:2])
                del lowest[KEPT_UNSURE:]

    def varied(self) -> list[Choice]:
        """Clips that between them show as many values as they can, then those shown least so far."""
        left = {one.id: one for one in (*self._sample.kept, *(one for _, one, _ in self._rare.values()))}
        shown: Counter[str] = Counter()
        chosen: list[_Candidate] = []
        if first := self._telling(list(left.values())):
            chosen.append(left.pop(first.id))
            shown.update(first.marks)
        while left and len(chosen) < VARIED_SHOWN:
            best = max(left.values(), key=lambda one: (_news(one, shown), -one.rank))
            chosen.append(left.pop(best.id))
            shown.update(best.marks)
        chosen += self._others.kept[: VARIED_SHOWN - len(chosen)]
        return [Choice(one.id, one.place) for one in chosen]

    def _telling(self, candidates: list[_Candidate]) -> _Candidate | None:
        """A clip in the commonest language with as many labels as a clip has: the first that is seen."""
        spoken = Counter(mark for one in candidates for mark in one.marks if mark.startswith("language="))
        if not spoken:
            return max(candidates, key=lambda one: (len(one.marks), -one.rank), default=None)
        language = max(spoken, key=lambda mark: (spoken[mark], mark))
        those = [one for one in candidates if language in one.marks]
        return max(those, key=lambda one: (one.tells, one.says_all, -one.rank))

    def unsure(self) -> list[Choice]:
        """The clip of lowest confidence of each kind, each clip once, none that is among the varied."""
        taken = {choice.id for choice in self.varied()}
        found = []
        for column, name in CONFIDENCES.items():
            for confidence, _, one in self._unsure.get(column, []):
                if one.id not in taken:
                    taken.add(one.id)
                    found.append(Choice(one.id, one.place, f"{name}: confidence {confidence:.2f}"))
                    break
        return found[:UNSURE_SHOWN]

    def failed(self) -> list[Choice]:
        """A clip of each cause of failure, by cause."""
        causes = sorted(self._failed.items())[:FAILED_SHOWN]
        return [Choice(one.id, one.place, error) for _, (_, one, error) in causes]


def _keep(held: dict[str, _Ranked], key: str, new: _Ranked) -> None:
    """Of the clips of a key the first in the seeded order; of too many keys those that came first."""
    old = held.get(key)
    if (old is None and len(held) < MOST_VALUES) or (old is not None and new[0] < old[0]):
        held[key] = new


def _marks(row: Mapping[str, Any]) -> Iterator[str]:
    """What a clip would be an example of."""
    for column in VARIED:
        if row.get(column) is not None:
            yield f"{column}={row[column]}"
    if row.get("emphasis_word") is not None:
        yield "stress"


def _tells(row: Mapping[str, Any]) -> tuple[int, bool]:
    """How much there is to show: labels, a topic, a stressed word, a mood; clean, and easy to follow. And
    whether none of the labels is one that says nothing to a reader."""
    values = [row.get(column) for column in (*VARIED, "topic")]
    labels = sum(value not in (None, OTHER) for value in values)
    stressed = row.get("emphasis_word") is not None
    moved = row.get("emotion") not in (None, "neutral", OTHER)
    easy = EASY_S[0] <= (row.get("duration_s") or 0.0) <= EASY_S[1]
    clean = (row.get("snr_db") or 0.0) >= CLEAN_DB
    return labels + 2 * stressed + moved + easy + 2 * clean, OTHER not in values


def _news(one: _Candidate, shown: Counter[str]) -> float:
    """How much of what it shows has been shown little."""
    return sum(4.0 ** -shown[mark] for mark in one.marks)
