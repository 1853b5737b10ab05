"""What a metric is: a few figures, and how one clip contributes to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jobs.evaluate.case import Case
from jobs.evaluate.statistics import Points, Statistic


@dataclass(frozen=True, slots=True)
class Measured:
    """A clip's points, by name. A name left out: this clip says nothing of it.

    `groups` are properties by which the table is split, beside the speaker's gender. `lacks` are the
    reasons why some of the points could not be had.
    """

    points: Mapping[str, Points]
    groups: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """The clip is labelled, and the run has no value to compare."""

    reason: str


@dataclass(frozen=True, slots=True)
class AsGiven:
    """The run was told the value, so that comparing it would measure nothing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a table: `statistic` over the points named `of` (its own name if empty).

    `unit` `%` takes points as shares, 0..1, and shows percent.
    """

    name: str
    unit: str
    definition: str
    statistic: Statistic
    of: str = ""

    @property
    def points(self) -> str:
        """The name of the points it reads."""
        return self.of or self.name


@dataclass(frozen=True, slots=True)
class Metric:
    """One table. `measure` returns None for a clip whose labels the metric does not read.

    `classes` names the classes where the points `calls` hold (truth, call, confidence): the table
    then has a confusion matrix.
    """

    name: str
    title: str
    definition: str
    figures: tuple[Figure, ...]
    measure: Callable[[Case], Measured | Missing | AsGiven | None]
    classes: tuple[str, ...] = ()
