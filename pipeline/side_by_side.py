"""The rows of a shard side by side: what every way of a job found of each clip, in one table."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import parquet, sidecar
from pipeline.ahead import in_order
from pipeline.errors import ClipError, ShardError
from pipeline.filesystems import without_password
from pipeline.job import Job
from pipeline.manifest import read_shard
from pipeline.presence import Bits, present
from pipeline.review.reviewed import REVIEW_TYPE, corrected_table
from pipeline.rows import Row
from pipeline.rundir import FAILURES, Shard
from pipeline.schema import GIVEN_COLUMNS, columns_of
from pipeline.storage import Store
from pipeline.way import Way

AHEAD, AHEAD_FAR = 2, 32
"""Shards read at once, from this disk and from far away, where it is the waiting that takes time."""
FORMAT = 1
"""Raise it when the same sidecars begin to give another dataset."""
TOLERATED = "tolerated"
"""The status, in the join alone, of a row that an optional annotator failed on."""
_BETWEEN = re.compile(r"; (?=[a-z_0-9]+: [a-z_0-9]+: )")


def dataset_schema(job: Job) -> pa.Schema:
    """The columns of the dataset: the clip, what was given, every family, and how it went."""
    fields: list[pa.Field[Any]] = [
        pa.field("id", pa.string(), nullable=False),
        pa.field("audio", pa.string()),
        pa.field("offset_s", pa.float64()),
        *(pa.field(name, pa.string()) for name in GIVEN_COLUMNS),
        *(c.arrow for family in job.families for c in columns_of(_row(job, family)) if c.column.joined),
        pa.field("status", pa.string(), nullable=False),
        pa.field("error", pa.string()),
        pa.field("skipped", pa.string()),
        pa.field("review", REVIEW_TYPE),
    ]
    return pa.schema(fields)


@dataclass(frozen=True, slots=True)
class There:
    """What there is to join: sidecars by their way's key, and why other shards were given up."""

    sidecars: Mapping[str, Bits]
    reasons: Mapping[Shard, str]

    @classmethod
    def find(cls, store: Store, job: Job, shards: Sequence[Shard]) -> There:
        """Of these shards; one listing a way."""
        failures = store.names(FAILURES)
        lost = [shard for shard in shards if shard.failure in failures]
        reasons = {shard: str(json.loads(store.read(shard.failure))["reason"]) for shard in lost}
        return cls(present(store, shards, [way.key for way in job.ways]), reasons)

    def digest(self, job: Job, shards: Sequence[Shard]) -> str:
        """Of the names of all that is joined, not of what it holds."""
        digest = hashlib.blake2b(f"{FORMAT}".encode(), digest_size=12)
        digest.update(dataset_schema(job).serialize())
        for shard in shards:
            digest.update(f"{shard.name}{self.reasons.get(shard, '')}".encode())
        for way in job.ways:
            digest.update(way.key.encode() + self.sidecars[way.key].tobytes() + b"optional" * way.optional)
        return digest.hexdigest()


def tables(store: Store, job: Job, shards: Sequence[Shard], there: There) -> Iterator[SideBySide]:
    """Shard after shard, some of them read ahead."""
    schema = dataset_schema(job)

    def read(number: int) -> SideBySide:
        return _side_by_side(store, job, shards[number], number, there, schema)

    yield from in_order(read, range(len(shards)), AHEAD if store.is_local else AHEAD_FAR)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A shard's clips: what is known of each family, and all of it side by side."""

    families: dict[str, pa.Table]
    table: pa.Table


def _side_by_side(
    store: Store, job: Job, shard: Shard, number: int, there: There, schema: pa.Schema
) -> SideBySide:
    clips = parquet.read(store, shard.manifest)
    items = read_shard(store, shard) if "corrections" in clips.column_names else []
    ids = clips.column("id")
    have = {way.key for way in job.ways if there.sidecars[way.key][number]}
    reason = there.reasons.get(shard, "the shard was not annotated")
    families = {}
    for f in job.families:
        found = _family(store, job, shard, f, have, ids, reason)
        families[f] = corrected_table(_row(job, f), found, items) if items else found
    return SideBySide(families, _one_table(clips, families, schema))


def _family(
    store: Store,
    job: Job,
    shard: Shard,
    family: str,
    have: set[str],
    ids: pa.ChunkedArray[Any],
    reason: str,
) -> pa.Table:
    """What is known of a family: of several ways the first that has a row, failures before skips."""
    tables = []
    for way in job.of(family):
        names = [c.name for c in columns_of(way.row) if c.column.joined]
        path = shard.sidecar(way.key)
        if way.key not in have:
            lost = [ClipError("given_up", reason)] * len(ids)
            table = sidecar.to_table(way.row, [str(name) for name in ids], lost)
            tables.append(_tolerant(table.select(["id", "status", "error", *names]), way))
            continue
        table = parquet.read(store, path, ["id", "status", "error", *names])
        if not table.column("id").equals(ids):
            raise ShardError(f"{path} does not hold the clips of {shard.manifest}.")
        tables.append(_tolerant(table, way))
    return tables[0] if len(tables) == 1 else _first_found(tables)


def _tolerant(table: pa.Table, way: Way) -> pa.Table:
    """The rows of a way, failures of an optional one apart from others."""
    if not way.optional:
        return table
    status = table.column("status")
    failed = pc.equal(status, pa.scalar(sidecar.FAILED))
    return table.set_column(1, "status", pc.if_else(failed, pa.scalar(TOLERATED), status))


def _first_found(tables: list[pa.Table]) -> pa.Table:
    statuses = [t.column("status").to_pylist() for t in tables]
    picks = [_pick(line) for line in zip(*statuses, strict=True)]
    rows = tables[0].num_rows
    return pa.concat_tables(tables).take(pa.array([n * rows + i for i, n in enumerate(picks)]))


def _pick(statuses: Sequence[str]) -> int:
    for wanted in (sidecar.OK, sidecar.FAILED, TOLERATED):
        if wanted in statuses:
            return statuses.index(wanted)
    return 0


def _one_table(clips: pa.Table, families: dict[str, pa.Table], schema: pa.Schema) -> pa.Table:
    columns: dict[str, Any] = {
        "id": clips.column("id"),
        "audio": [without_password(str(url)) for url in clips.column("audio_url").to_pylist()],
        "offset_s": clips.column("audio_offset_s"),
    }
    columns |= {name: clips.column(f"given_{name}") for name in GIVEN_COLUMNS}
    for table in families.values():
        columns |= {n: table.column(n) for n in table.column_names if n not in ("id", "status", "error")}
    errors = _complaints(families, sidecar.FAILED)
    columns["status"] = [sidecar.FAILED if e else sidecar.OK for e in errors]
    columns["error"] = errors
    columns["skipped"] = _complaints(families, sidecar.SKIPPED, TOLERATED)
    columns["review"] = [None] * clips.num_rows
    arrays = [
        values if isinstance(values, pa.ChunkedArray) else pa.array(values, field.type)
        for field, values in ((f, columns[f.name]) for f in schema)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def complaints(text: str) -> list[str]:
    """Each complaint in a dataset's `error` or `skipped`, root causes first: `family: code: sentence`."""
    return _BETWEEN.split(text)


def _complaints(families: dict[str, pa.Table], *statuses: str) -> list[str | None]:
    """What went wrong with each clip, root causes first: `family: code: sentence; ...`."""
    found: list[list[str]] = [[] for _ in range(next(iter(families.values())).num_rows)]
    for family, table in families.items():
        hit = np.flatnonzero(pc.is_in(table.column("status"), value_set=pa.array(statuses)).to_numpy())
        errors = table.column("error").take(pa.array(hit, pa.int64())).to_pylist() if len(hit) else []
        for i, error in zip(hit, errors, strict=True):
            found[i].append(f"{family}: {error}")
    return ["; ".join(sorted(f, key=lambda text: ": needs" in text)) or None for f in found]


def _row(job: Job, family: str) -> type[Row]:
    return job.of(family)[0].row
