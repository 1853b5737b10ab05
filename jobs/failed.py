"""The rows of a run that failed through an annotator's own fault, from the fewest files that tell."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from jobs.runs import Run, WayName
from pipeline import again, parquet
from pipeline.ahead import in_order
from pipeline.engine.earlier import THREADS, cause, own_failures
from pipeline.engine.tally import NEEDS
from pipeline.join import INDEX, digest_of
from pipeline.rundir import DATASET, Shard
from pipeline.side_by_side import complaints
from pipeline.source.base import PROBLEMS
from pipeline.way import CUT, SOUND

GIVEN_UP = "given_up"
"""The code of the rows of a shard that was given up: `failures/` tells of them."""
_OF_TEXT = frozenset(["no_words", "not_romanised", "too_many_words"])
_OF_SOUND = frozenset(["silent", "too_long", "too_short"])
"""Codes that the clip's own text and its own sound decide."""


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A clip that an annotator failed on. `way` is empty where only the family is known."""

    shard: int
    clip: str
    family: str
    way: str
    code: str
    reason: str
    optional: bool = False

    @property
    def of_source(self) -> bool:
        """Whether it failed for what its source says: computing it again cannot help."""
        return is_of_source(self.family, self.code)


def is_of_source(family: str, code: str) -> bool:
    """Whether rows of this cause failed for what their source says, which only `annotate` reads."""
    return family == SOUND and code in PROBLEMS


def remedy(family: str, code: str) -> str | None:
    """What helps rows of this cause where computing them again does not; None where it may."""
    if is_of_source(family, code):
        return "put the source right, and run the same annotate command: retry does not read it"
    if code in _OF_TEXT:
        return (
            "a retry would find the same: give these clips the text that is said in them, in the source or "
            "by review, and run the same annotate command"
        )
    if code in _OF_SOUND and family != SOUND:
        return (
            "a retry would find the same: put the sound of these clips right and run the same annotate "
            "command, or leave them out of an export (--filter \"status == 'ok'\")"
        )
    return None


def failed_rows(run: Run) -> Iterator[FailedRow]:
    """Every failed row, in no particular order; those that only lack what another was to make are left out.

    Of a dataset that holds the current rows one column is read, else of every sidecar its footer, and the
    rows where some failed.
    """
    if is_current(run):
        yield from _of_dataset(run)
        yield from rows_of_sidecars(run, [way for way in run.way_names if way.optional])
    else:
        yield from rows_of_sidecars(run, run.way_names)


def is_current(run: Run) -> bool:
    """Whether the dataset was made of just the sidecars that are there."""
    if INDEX not in run.names:
        return False
    index = json.loads(run.store.read(INDEX))
    there = {way.key: done(run, way) for way in run.way_names}
    same = index.get("made_of") == there and index.get("shards") == digest_of(run.shards)
    return bool(same and index["inputs"])


def done(run: Run, way: WayName) -> int:
    """How many shards have the way's sidecar; of what cuts recordings, those of the source that hold any."""
    shards = run.uncut if way.family == CUT else run.shards
    return sum(shard.sidecar(way.key) in run.names for shard in shards)


def rows_of_sidecars(run: Run, ways: Sequence[WayName]) -> Iterator[FailedRow]:
    """The failed rows of these ways, from their sidecars and from what stands of those marked."""
    found = [
        (way, shard, path)
        for way in ways
        for shard in run.shards
        if (path := again.standing(run.names, shard, way.key))
    ]

    def read(place: tuple[WayName, Shard, str]) -> list[FailedRow]:
        way, shard, path = place
        return [
            FailedRow(shard.index, clip, way.family, way.name, code, reason, way.optional)
            for clip, code, reason in own_failures(run.store, path)
        ]

    for rows in in_order(read, found, THREADS):
        yield from rows


def _of_dataset(run: Run) -> Iterator[FailedRow]:
    index: dict[str, Any] = json.loads(run.store.read(INDEX))
    ends = list(accumulate(shard.clips for shard in run.shards))
    row = 0
    for file in index["files"]:
        table = parquet.read(run.store, f"{DATASET}/{file['name']}", ["id", "error"])
        for clip, errors in zip(*(table.column(n).to_pylist() for n in ("id", "error")), strict=True):
            if errors is not None:
                shard = run.shards[bisect_right(ends, row)].index
                yield from _complaints(shard, clip, errors)
            row += 1


def _complaints(shard: int, clip: str, errors: str) -> Iterator[FailedRow]:
    """The root causes in `family: code: sentence; ...`; shards that were given up are told of elsewhere."""
    for complaint in complaints(errors):
        family, _, error = complaint.partition(": ")
        code, reason = cause(error)
        if not code.startswith(NEEDS) and code != GIVEN_UP:
            yield FailedRow(shard, clip, family, "", code, reason)
