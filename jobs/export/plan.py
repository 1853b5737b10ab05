"""Which clips go into an export, in which split and part. Only cheap columns are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.export.choose import Chooser
from jobs.export.dataset import Dataset
from jobs.export.request import Request
from jobs.export.splits import TRAIN, SplitSpec, assign
from pipeline import parquet
from pipeline.counting import counted
from pipeline.errors import UsageError
from pipeline.rundir import Shard
from pipeline.storage import Store

PART_S = 3600.0
"""Sound in a part: 60 MB of FLAC at 16 kHz, 350 MB of 16-bit stereo at 48 kHz."""
PART_ROWS = 10_000
DROPPED = "dropped.jsonl"


@dataclass(frozen=True, slots=True)
class Part:
    """Clips that are written together. `number` counts over all splits, `index` within its own."""

    number: int
    split: str
    index: int
    of: int
    rows: int
    seconds: float

    def name(self, suffix: str, folder: str = "data") -> str:
        """Its file's name."""
        return f"{folder}/{self.split}-{self.index:05d}-of-{self.of:05d}{suffix}"


@dataclass(slots=True)
class Plan:
    """Decided for every row. `part_of`: the part's number, -1 for a dropped row.

    `groups` counts what splits kept together (speaker, recording, clip) by its kind.
    """

    part_of: npt.NDArray[np.int32]  # [n_rows]
    parts: list[Part]
    dropped: dict[str, int]
    groups: dict[str, int] = field(default_factory=dict)

    @property
    def splits(self) -> list[str]:
        """The splits that hold clips, train first."""
        return list(dict.fromkeys(part.split for part in self.parts))

    @property
    def rows(self) -> int:
        """Rows that are exported."""
        return sum(part.rows for part in self.parts)

    def promise(self) -> str | None:
        """What can be said of speakers in more than one split; None with a single split."""
        if len(self.splits) < 2:
            return None
        known, clips = self.groups.get("speaker", 0), sum(self.groups.values())
        if known == clips:
            return "No speaker is in more than one split."
        kept = [f"{n:,} by {kind}" for kind, n in self.groups.items() if kind != "speaker"]
        return (
            f"The speaker is not known, or was not asked for, in {clips - known:,} of "
            f"{counted(clips, 'clip')}; "
            f"they were split {' and '.join(kept)}, so their speakers may be in more than one split."
        )


def make_plan(dataset: Dataset, request: Request, choose: Chooser, out: Store) -> Plan:
    """Decide, and write what was dropped and why to dropped.jsonl.

    Raises UsageError where no clip is left.
    """
    spec = request.split or SplitSpec()
    groups = _Groups(dataset, spec if request.split else None)
    kept = np.zeros(dataset.clips, bool)
    codes = np.zeros(dataset.clips, np.int32)
    seconds = np.zeros(dataset.clips, np.float32)
    dropped: Counter[str] = Counter()
    start = 0
    with out.writing(DROPPED) as file:
        for shard, rows in dataset.by_shard([*choose.columns, *groups.columns, *_duration(dataset)]):
            reasons = choose.reasons(shard, rows)
            code = groups.codes(shard, rows)
            for i, reason in enumerate(reasons):
                if reason is None:
                    kept[start + i] = True
                    groups.count(code[i])
                    continue
                dropped[reason.kind] += 1
                line = {"id": rows.column("id")[i].as_py(), "reason": reason.kind, "why": reason.text}
                file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            codes[start : start + shard.clips] = code
            if "duration_s" in rows.column_names:
                found = np.nan_to_num(rows.column("duration_s").to_numpy())
                seconds[start : start + shard.clips] = found
            start += shard.clips
        if not kept.any():
            raise UsageError(f"No clip is left to export: {_listed(dropped)}.")
    splits = groups.assigned(spec if request.split else None)
    return _cut(kept, codes, seconds, splits, spec, dict(dropped), groups.kinds())


def _duration(dataset: Dataset) -> list[str]:
    return [name for name in ("duration_s",) if name in dataset.schema.names]


def _listed(dropped: Counter[str]) -> str:
    return ", ".join(f"{n:,} dropped by {kind}" for kind, n in dropped.items()) or "the run holds none"


def _cut(
    kept: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.int32],
    seconds: npt.NDArray[np.float32],
    splits: list[str],
    spec: SplitSpec,
    dropped: dict[str, int],
    kinds: dict[str, int],
) -> Plan:
    """Parts of each split in the order of rows, full at an hour of sound or at 10,000 rows."""
    part_of = np.full(len(kept), -1, np.int32)
    parts: list[Part] = []
    table = np.array([spec.names.index(name) for name in splits], np.int8)
    for order, split in enumerate(spec.names):
        mine = np.flatnonzero(kept & (table[codes] == order))
        bounds = list(_bounds(seconds[mine]))
        for index, (a, b) in enumerate(bounds):
            number = len(parts)
            part_of[mine[a:b]] = number
            total = float(seconds[mine[a:b]].sum(dtype=np.float64))
            parts.append(Part(number, split, index, len(bounds), b - a, total))
    return Plan(part_of, parts, dropped, kinds)


def _bounds(seconds: npt.NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    start, have = 0, 0.0
    for i, s in enumerate(seconds):
        have += float(s)
        if have >= PART_S or i + 1 - start >= PART_ROWS:
            yield start, i + 1
            start, have = i + 1, 0.0
    if start < len(seconds):
        yield start, len(seconds)


class _Groups:
    """What stays in one split: numbered as they come."""

    def __init__(self, dataset: Dataset, spec: SplitSpec | None) -> None:
        self._dataset, self._spec = dataset, spec
        self._numbers: dict[str, int] = {}
        self._sizes: list[int] = []
        self.columns = ["speaker"] if spec is not None and spec.by == "speaker" else []

    def codes(self, shard: Shard, rows: pa.Table) -> list[int]:
        """The group of each row."""
        if self._spec is None:
            return [self._number("all")] * shard.clips
        return [self._number(name) for name in self._names(self._spec.by, shard, rows)]

    def count(self, code: int) -> None:
        """A clip of this group is kept."""
        self._sizes[code] += 1

    def assigned(self, spec: SplitSpec | None) -> list[str]:
        """The split of each group, by number; a group of which nothing is kept is in train."""
        if spec is None:
            return [TRAIN]
        sizes = {name: self._sizes[n] for name, n in self._numbers.items() if self._sizes[n]}
        found = assign(spec, sizes)
        return [found.get(name, TRAIN) for name in self._numbers]

    def kinds(self) -> dict[str, int]:
        """Kept clips by what held them together."""
        counted: Counter[str] = Counter()
        if self._spec is not None:
            for name, n in self._numbers.items():
                counted[name.partition("\0")[0]] += self._sizes[n]
        return {kind: n for kind, n in counted.items() if n}

    def _number(self, name: str) -> int:
        found = self._numbers.setdefault(name, len(self._sizes))
        if found == len(self._sizes):
            self._sizes.append(0)
        return found

    def _names(self, by: str, shard: Shard, rows: pa.Table) -> list[str]:
        if by == "clip":
            return [f"clip\0{name}" for name in rows.column("id").to_pylist()]
        speakers = rows.column("speaker").to_pylist() if by == "speaker" else [None] * shard.clips
        if None not in speakers:
            return [f"speaker\0{name}" for name in speakers]
        recordings = self._recordings(shard)
        return [
            f"recording\0{recording}" if speaker is None else f"speaker\0{speaker}"
            for speaker, recording in zip(speakers, recordings, strict=True)
        ]

    def _recordings(self, shard: Shard) -> list[str]:
        table = parquet.read(self._dataset.store, shard.manifest, ["audio_url", "audio_part"])
        return [
            f"{url}\0{part or ''}"
            for url, part in zip(*(table.column(n).to_pylist() for n in table.column_names), strict=True)
        ]
