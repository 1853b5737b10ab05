"""What an evaluation found, and its form for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from jobs.evaluate.agreement import Agreement

FORMAT = 1
"""Raised when a field of the JSON changes its name or meaning; new fields do not raise it."""


@dataclass(frozen=True, slots=True)
class Split:
    """A figure over part of the clips."""

    value: float | None
    n: int
    n_clips: int


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `value`, `low` and `high` are in `unit`; None where undefined.

    `low` and `high` bound the 95 % bootstrap interval over `n_clusters` clusters; None with fewer
    than two. `clusters` says what they are: `speakers`, a clip whose speaker is unknown being one of
    its own; or `clips` where fewer than four speakers are known: the interval then speaks of these
    speakers, and not of others. `n` counts what the definition counts: frames, boundaries, words or clips.
    `splits` is by property, then by value.
    """

    name: str
    unit: str
    definition: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    n_clips: int
    n_clusters: int
    clusters: str
    splits: Mapping[str, Mapping[str, Split]]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Clips by true class (lines) and called class (columns)."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Calls of like confidence: its mean, the share of them that are right, both 0..1, and how many."""

    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True, slots=True)
class Table:
    """One metric. `n_labelled` clips carry its labels; `missing` says why some of them lack a value.

    `n_given` of them were told the value: they are left out of every figure. `groups` counts the
    measured clips by the conditions they were measured under (text given or recognised). `calibration`
    is empty where calls have no confidence.
    """

    name: str
    title: str
    definition: str
    n_labelled: int
    n_measured: int
    n_given: int
    missing: Mapping[str, int]
    groups: Mapping[str, Mapping[str, int]]
    results: tuple[Result, ...]
    confusion: Confusion | None
    calibration: tuple[Bin, ...] = ()

    def result(self, name: str) -> Result:
        """The figure of that name; KeyError where the table has none."""
        for found in self.results:
            if found.name == name:
                return found
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Some:
    """How many clips, and the ids of the first few in order."""

    n: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`unlabelled` clips are in the run and not in the labels; `not_in_run` the other way round.

    `agreement` is with those who reviewed the run. `broken` lines of the labels name no clip; of the first of
    them it says why.
    """

    n_clips: int
    unlabelled: Some
    not_in_run: Some
    tables: tuple[Table, ...]
    agreement: tuple[Agreement, ...] = ()
    broken: Some = Some(0, ())

    def table(self, name: str) -> Table:
        """The table of that metric; KeyError where nothing carries its labels."""
        for found in self.tables:
            if found.name == name:
                return found
        raise KeyError(name)

    def to_json(self) -> str:
        """The whole report as JSON; numbers at full precision, None as null."""
        return json.dumps({"format": FORMAT} | asdict(self), indent=2, ensure_ascii=False, allow_nan=False)
