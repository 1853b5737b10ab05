"""The small pictures of measures: for each what is drawn, by gender, with the thresholds of its label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotators.labels._bounds import Bounds, Thresholds
from jobs.languages import language_name
from jobs.report.bars import ranked
from jobs.report.columns import GENDERS, MEASURES, UNKNOWN, Measure
from jobs.report.gather import Gathered

Values = Mapping[str, npt.NDArray[np.float64]]
OWN_PANELS = 3
"""Languages whose speed has a panel of its own; the others share one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A threshold. `under` and `over` say what a value is called on either side; empty says nothing."""

    at: float
    under: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure: its values by gender, sorted, and the thresholds drawn in each row."""

    name: str
    title: str
    what: str
    unit: str
    values: Values
    marks: Mapping[str, tuple[Mark, ...]]

    @property
    def clips(self) -> int:
        """Clips that have a value."""
        return sum(map(len, self.values.values()))


def panels_of(found: Gathered, thresholds: Thresholds, age_bounds_years: tuple[float, ...]) -> list[Panel]:
    """A panel for each measure that has values, in the order of MEASURES."""
    panels: list[Panel] = []
    for measure in MEASURES:
        if measure.column == "syllables_per_s":
            panels += _by_language(found, measure, thresholds)
            continue
        values = found.values(measure.column)
        if measure.unit == "%":
            values = {gender: 100 * v for gender, v in values.items()}
        if not values:
            continue
        if measure.column == "age_years":
            marks = dict.fromkeys(values, tuple(map(Mark, age_bounds_years)))
        else:
            marks = _marks(measure, values, thresholds.get(measure.labelled, {}))
        panels.append(Panel(measure.column, measure.title, measure.what, measure.unit, values, marks))
    return panels


def _marks(measure: Measure, values: Values, groups: Mapping[str, Bounds]) -> dict[str, tuple[Mark, ...]]:
    """Pitch is judged by gender, what else is labelled here alike for all."""
    if measure.column == "f0_median_hz" and groups:
        return {gender: _levels(groups[gender if gender in GENDERS else "all"]) for gender in values}
    if measure.column == "characters_per_s" and "characters" in groups:
        return dict.fromkeys(values, _levels(groups["characters"], "slow", "fast"))
    return dict.fromkeys(values, _levels(groups["all"])) if "all" in groups else {}


def _levels(bounds: Bounds, low: str = "low", high: str = "high") -> tuple[Mark, ...]:
    return Mark(bounds[0], under=low), Mark(bounds[1], over=high)


def _by_language(found: Gathered, measure: Measure, thresholds: Thresholds) -> Iterator[Panel]:
    """Speed is judged within a language where the run has thresholds for it; Chinese not by syllables."""
    groups = thresholds.get(measure.labelled, {})
    rows = [r for r in found.measures.kept if r.get(measure.column) is not None]
    rows = [r for r in rows if r.get("characters_per_s") is None]
    counts = Counter(r["language"] for r in rows if r["language"] in groups)
    own = [code for code, _ in ranked(counts)[:OWN_PANELS]]
    for code in (*own, None):
        by_gender: dict[str, list[float]] = {gender: [] for gender in (*GENDERS, UNKNOWN)}
        for row in rows:
            if row["language"] == code if code else row["language"] not in own:
                by_gender[row["gender"] or UNKNOWN].append(row[measure.column])
        values = {gender: np.sort(np.array(v)) for gender, v in by_gender.items() if v}
        if values:
            group = code or "syllables"
            bounds = dict.fromkeys(values, _levels(groups[group], "slow", "fast")) if group in groups else {}
            of = language_name(code) if code else "other languages" if own else ""
            title = ", ".join(filter(None, (measure.title, of)))
            name = f"{measure.column}-{code}" if code else measure.column
            yield Panel(name, title, measure.what, measure.unit, values, bounds)
