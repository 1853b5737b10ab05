"""What an export holds, in numbers: one pass over cheap columns of the rows that are in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.export import judged
from jobs.export.dataset import Dataset
from jobs.export.plan import Plan
from pipeline.text import words

SHARES = (
    "language",
    "gender",
    "age_group",
    "emotion",
    "pitch_label",
    "energy_label",
    "speed_label",
    "caption_source",
    "transcript_source",
)
"""Columns whose values are counted."""
CAPTIONS = ("description", "instruction", "transcript")
"""Columns whose lengths are told, in words, of Chinese in characters."""
ORIGIN = ("licence", "source", "attribution")
MOST_ORIGINS = 10_000
"""Different origins that are told apart; a corpus with an attribution a clip has more."""
UNKNOWN = "unknown"


@dataclass(slots=True)
class Statistics:
    """`shares`: clips and seconds by column and value. `origins`: clips by licence, source, attribution.

    `groups`: clips by label and the group it was judged in.
    """

    clips: int = 0
    seconds: float = 0.0
    failed: int = 0
    speakers: set[int] = field(default_factory=set)
    shares: dict[str, dict[str, tuple[int, float]]] = field(default_factory=dict)
    lengths: dict[str, Counter[int]] = field(default_factory=dict)
    origins: Counter[tuple[str, ...]] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    groups: judged.Groups = field(default_factory=Counter)

    def quantiles(self, column: str) -> tuple[int, float, int, int, int]:
        """How many texts, their mean length, and its 5th, 50th and 95th percentile."""
        sizes = np.array(sorted(self.lengths[column]))
        counts = np.array([self.lengths[column][int(s)] for s in sizes])
        total = counts.sum()
        low, middle, high = (
            int(sizes[np.searchsorted(counts.cumsum(), q * total)]) for q in (0.05, 0.5, 0.95)
        )
        return int(total), float((sizes * counts).sum() / total), low, middle, high


def gather(dataset: Dataset, plan: Plan, exported: pa.Schema) -> Statistics:
    """The numbers of the rows that are exported, over columns that are exported; origins always."""
    have = set(dataset.schema.names)
    shares = [n for n in SHARES if n in exported.names]
    captions = [n for n in CAPTIONS if n in exported.names]
    rest = [n for n in ("duration_s", "speaker", "status", "language", *ORIGIN) if n in have]
    found = Statistics(shares={n: {} for n in shares}, lengths={n: Counter() for n in captions})
    start = 0
    judging = [n for n in judged.READS if n in have]
    for table in dataset.tables(list(dict.fromkeys((*shares, *captions, *rest, *judging)))):
        kept = plan.part_of[start : start + table.num_rows] >= 0
        start += table.num_rows
        rows = table.filter(pa.array(kept)).to_pydict()
        _add(found, rows)
        found.groups += judged.groups_of(rows, shares)
    return found


def _add(found: Statistics, rows: dict[str, list[Any]]) -> None:
    n = len(next(iter(rows.values())))
    seconds = [s or 0.0 for s in rows.get("duration_s", [0.0] * n)]
    found.clips += n
    found.seconds += sum(seconds)
    found.failed += rows["status"].count("failed")
    found.speakers.update(hash(s) for s in rows["speaker"] if s is not None)
    for column, shares in found.shares.items():
        for value, s in zip(rows[column], seconds, strict=True):
            clips, total = shares.get(value or UNKNOWN, (0, 0.0))
            shares[value or UNKNOWN] = (clips + 1, total + s)
    languages = rows.get("language", [None] * n)
    for column, lengths in found.lengths.items():
        for text, language in zip(rows[column], languages, strict=True):
            if text is not None:
                lengths[len(words(text, language))] += 1
    for origin in zip(*(rows[name] for name in ORIGIN), strict=True):
        found.licences[origin[0] or UNKNOWN] += 1
        known = tuple(part or "" for part in origin)
        if known in found.origins or len(found.origins) < MOST_ORIGINS:
            found.origins[known] += 1
