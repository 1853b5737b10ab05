"""One pass over the dataset of a run: what is counted, and seeded samples of what is too much to keep."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.captions.sample import Sample
from jobs.export.dataset import Dataset
from jobs.report.candidates import Candidates, Place
from jobs.report.columns import CONFIDENCES, COUNTED, GENDERS, MEASURES, UNKNOWN, VARIED

MEASURED = 10_000
"""Clips whose measures are drawn: their histograms look the same with more."""
TEXTS = 10_000
"""Descriptions whose words are counted for a cloud, in each language."""
MOST_VALUES = 10_000
"""Different values of a column that are told apart: a model that writes topics writes many."""
OTHERS = "others"
_ALWAYS = ("id", "status", "error", "skipped", "speaker", "duration_s", "emphasis_word", "description")


@dataclass(slots=True)
class Gathered:
    """What is known of a run. `counts` and `seconds` are by column and value, `pairs` by gender and value;
    of `measures` see `drawn`."""

    seed: int
    clips: int = 0
    failed: int = 0
    seconds: float = 0.0
    stressed: int = 0
    speakers: set[int] = field(default_factory=set)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    seconds_by: dict[str, dict[str, float]] = field(default_factory=dict)
    pairs: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    measures: Sample[dict[str, Any]] = field(default_factory=lambda: Sample(MEASURED))
    texts: dict[str, Sample[str]] = field(default_factory=dict)
    candidates: Candidates = field(default_factory=Candidates)

    def values(self, column: str) -> dict[str, npt.NDArray[np.float64]]:
        """The measure over the sample by gender, sorted; genders without a value are left out."""
        found: dict[str, list[float]] = {gender: [] for gender in (*GENDERS, UNKNOWN)}
        for row in self.measures.kept:
            if row.get(column) is not None:
                found[row["gender"] or UNKNOWN].append(row[column])
        return {g: np.sort(np.array(v)) for g, v in found.items() if v}

    def genders(self) -> list[str]:
        """The genders that occur, `unknown` last."""
        return [g for g in (*GENDERS, UNKNOWN) if self.counts["gender"][g]]


def gather(dataset: Dataset, seed: int) -> Gathered:
    """Read the dataset once, some hundred rows at a time."""
    have = set(dataset.schema.names)
    counted = [n for n in COUNTED if n in have]
    measured = [m.column for m in MEASURES if m.column in have]
    rest = [n for n in (*_ALWAYS, "caption_language", *CONFIDENCES, *VARIED) if n in have]
    found = Gathered(
        seed,
        counts={n: Counter() for n in {*counted, "gender"}},
        seconds_by={n: defaultdict(float) for n in ("language", "gender", "source")},
        pairs={n: Counter() for n in counted},
        measures=Sample(MEASURED, seed),
        candidates=Candidates(seed),
    )
    columns = list(dict.fromkeys((*rest, *counted, *measured)))
    for number, (_, table) in enumerate(dataset.by_shard(columns)):
        for i, row in enumerate(_rows(table.select(columns).to_batches())):
            _add(found, row, Place(number, i), measured)
    return found


def _rows(batches: list[Any]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()


def _add(found: Gathered, row: Mapping[str, Any], place: Place, measured: list[str]) -> None:
    found.clips += 1
    seconds = row.get("duration_s") or 0.0
    found.seconds += seconds
    found.failed += bool(row["status"] == "failed")
    found.stressed += bool(row.get("emphasis_word") is not None)
    if row["speaker"] is not None:
        found.speakers.add(hash(row["speaker"]))
    gender = row.get("gender") or UNKNOWN
    for column, counts in found.counts.items():
        value = _known(counts, row.get(column) or UNKNOWN)
        counts[value] += 1
        if column in found.pairs:
            found.pairs[column][gender, value] += 1
        if column in found.seconds_by:
            found.seconds_by[column][value] += seconds
    for complaint in (row["skipped"] or "").split("; "):
        if complaint:
            found.skipped[_known(found.skipped, complaint.partition(":")[0])] += 1
    known = {name: row[name] for name in measured}
    found.measures.add(row["id"], {"gender": row.get("gender"), "language": row.get("language"), **known})
    if row.get("description"):
        language = row["caption_language"]
        found.texts.setdefault(language, Sample(TEXTS, found.seed)).add(row["id"], row["description"])
    found.candidates.add(row, place)


def _known(counts: Counter[str], value: str) -> str:
    return value if value in counts or len(counts) < MOST_VALUES else OTHERS
