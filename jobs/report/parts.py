"""All that the page tells, before it is written as HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.captions.report import Report
from jobs.export.dataset import Dataset
from jobs.report.clips import Card
from jobs.report.gather import Gathered
from jobs.report.plots import Plot
from jobs.runs import Run
from pipeline.engine.tally import Tally


@dataclass(frozen=True, slots=True)
class Parts:
    """`words` counts the words of descriptions by language; a language without a cloud shows a list.
    `costs` are those of all calls, by the way's key."""

    run: Run
    dataset: Dataset
    found: Gathered
    captions: Report
    measures: tuple[Plot, ...]
    people: tuple[Plot, ...]
    lengths: tuple[Plot, ...]
    clouds: tuple[Plot, ...]
    words: Mapping[str, Counter[str]]
    varied: tuple[Card, ...]
    unsure: tuple[Card, ...]
    failed: tuple[Card, ...]
    costs: Mapping[str, Tally]

    @property
    def plots(self) -> tuple[Plot, ...]:
        """Every plot, in the order of the page."""
        return (*self.people, *self.measures, *self.lengths, *self.clouds)
