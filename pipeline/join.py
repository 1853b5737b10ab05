"""The join: every sidecar of a run side by side, one row per clip, as a dataset anyone can load.

Its bytes depend on the job and the clips alone: not on hosts, times, retries or the number of workers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import parquet, sidecar
from pipeline.card import write_card
from pipeline.errors import ClipError, ShardError
from pipeline.job import Job
from pipeline.manifest import read_shard
from pipeline.rows import Row
from pipeline.rundir import DATASET, Shard
from pipeline.schema import columns_of
from pipeline.source.base import Item
from pipeline.storage import TEMPORARY, Store

FILE_BYTES = 256 * 2**20
"""Of Arrow memory; compressed files are smaller."""
INDEX = f"{DATASET}/index.json"

GIVEN_COLUMNS = ("speaker", "domain", "title", "category", "source", "licence", "attribution")


@dataclass(slots=True)
class Joined:
    """What the dataset holds. `causes` counts failed clips by family and code, with an example of each."""

    clips: int = 0
    ok: int = 0
    failed: int = 0
    seconds: float = 0.0
    causes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, object]] = field(default_factory=list)
    inputs: str = ""


def join(store: Store, job: Job, shards: Sequence[Shard]) -> Joined:
    """Write dataset/, or leave it if it was made from the same sidecars."""
    have = store.names()
    inputs = _inputs(job, shards, have)
    if INDEX in have:
        known = _read_index(store)
        if known.inputs == inputs and all(f"{DATASET}/{f['name']}" in have for f in known.files):
            return known
    joined = Joined(inputs=inputs)
    parts = _write_files(store, job, shards, have, joined)
    store.remove(INDEX)
    _rename(store, parts, joined, have)
    write_card(store, job, asdict(joined))
    store.write(INDEX, json.dumps(asdict(joined), ensure_ascii=False, indent=1).encode())
    return joined


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
    ]
    return pa.schema(fields)


def _inputs(job: Job, shards: Sequence[Shard], have: set[str]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for shard in shards:
        digest.update(shard.name.encode())
        for way in job.ways:
            digest.update(f"{way.key}{shard.sidecar(way.key) in have}".encode())
    return digest.hexdigest()


def _write_files(
    store: Store, job: Job, shards: Sequence[Shard], have: set[str], joined: Joined
) -> list[str]:
    """The data under temporary names: how many files there are is known only at the end."""
    schema = dataset_schema(job)
    parts: list[str] = []
    tables: list[pa.Table] = []
    size = 0
    for table in _tables(store, job, shards, have, schema, joined):
        tables.append(table)
        size += table.nbytes
        if size >= FILE_BYTES:
            parts.append(_write_part(store, tables, len(parts), joined))
            tables, size = [], 0
    if tables:
        parts.append(_write_part(store, tables, len(parts), joined))
    return parts


def _write_part(store: Store, tables: list[pa.Table], number: int, joined: Joined) -> str:
    path = f"{DATASET}/data/{TEMPORARY}{number:05d}"
    table = pa.concat_tables(tables)
    data = parquet.write(store, path, table)
    joined.files.append(
        {"rows": table.num_rows, "bytes": data.size, "sha256": hashlib.sha256(data).hexdigest()}
    )
    return path


def _rename(store: Store, parts: list[str], joined: Joined, have: set[str]) -> None:
    names = [f"data/train-{i:05d}-of-{len(parts):05d}.parquet" for i in range(len(parts))]
    for old in have:
        if old.startswith(f"{DATASET}/data/") and old.removeprefix(f"{DATASET}/") not in names:
            store.remove(old)
    for part, name, facts in zip(parts, names, joined.files, strict=True):
        store.move(part, f"{DATASET}/{name}")
        facts["name"] = name


def _tables(
    store: Store, job: Job, shards: Sequence[Shard], have: set[str], schema: pa.Schema, joined: Joined
) -> Iterator[pa.Table]:
    for shard in shards:
        items = read_shard(store, shard)
        ids = pa.chunked_array([pa.array([item.id for item in items], pa.string())])
        families = {f: _family(store, job, shard, f, have, ids) for f in job.families}
        table = _side_by_side(items, ids, families, schema)
        _count(items, table, joined)
        yield table


def _family(
    store: Store, job: Job, shard: Shard, family: str, have: set[str], ids: pa.ChunkedArray[Any]
) -> pa.Table:
    """What is known of a family: of several ways the first that has a row, failures before skips."""
    tables = []
    for way in job.of(family):
        names = [c.name for c in columns_of(way.row) if c.column.joined]
        path = shard.sidecar(way.key)
        if path not in have:
            tables.append(_given_up(store, shard, way.row, have).select(["id", "status", "error", *names]))
            continue
        table = parquet.read(store, path, ["id", "status", "error", *names])
        if not table.column("id").equals(ids):
            raise ShardError(f"{path} does not hold the clips of {shard.manifest}.")
        tables.append(table)
    return tables[0] if len(tables) == 1 else _first_found(tables)


def _first_found(tables: list[pa.Table]) -> pa.Table:
    statuses = [t.column("status").to_pylist() for t in tables]
    picks = [_pick(line) for line in zip(*statuses, strict=True)]
    rows = tables[0].num_rows
    return pa.concat_tables(tables).take(pa.array([n * rows + i for i, n in enumerate(picks)]))


def _pick(statuses: Sequence[str]) -> int:
    for wanted in (sidecar.OK, sidecar.FAILED):
        if wanted in statuses:
            return statuses.index(wanted)
    return 0


def _given_up(store: Store, shard: Shard, row: type[Row], have: set[str]) -> pa.Table:
    reason = "the shard was not annotated"
    if shard.failure in have:
        reason = json.loads(store.read(shard.failure))["reason"]
    ids = [item.id for item in read_shard(store, shard)]
    return sidecar.to_table(row, ids, [ClipError("given_up", reason)] * shard.clips)


def _side_by_side(
    items: Sequence[Item], ids: pa.ChunkedArray[Any], families: dict[str, pa.Table], schema: pa.Schema
) -> pa.Table:
    columns: dict[str, Any] = {
        "id": ids,
        "audio": [item.audio.url for item in items],
        "offset_s": [item.audio.offset_s for item in items],
    }
    columns |= {name: [getattr(i.given, name) for i in items] for name in GIVEN_COLUMNS}
    for table in families.values():
        columns |= {n: table.column(n) for n in table.column_names if n not in ("id", "status", "error")}
    errors = _complaints(families, sidecar.FAILED)
    columns["status"] = [sidecar.FAILED if e else sidecar.OK for e in errors]
    columns["error"] = errors
    columns["skipped"] = _complaints(families, sidecar.SKIPPED)
    arrays = [
        values if isinstance(values, pa.ChunkedArray) else pa.array(values, field.type)
        for field, values in ((f, columns[f.name]) for f in schema)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _complaints(families: dict[str, pa.Table], status: str) -> list[str | None]:
    """What went wrong with each clip, root causes first: `family: code: sentence; ...`."""
    found: list[list[str]] = [[] for _ in range(next(iter(families.values())).num_rows)]
    for family, table in families.items():
        hit = pc.equal(table.column("status"), pa.scalar(status))
        errors = table.column("error").to_pylist()
        for i in np.flatnonzero(hit.to_numpy()):
            found[i].append(f"{family}: {errors[i]}")
    return ["; ".join(sorted(f, key=lambda text: ": needs" in text)) or None for f in found]


def _count(items: Sequence[Item], table: pa.Table, joined: Joined) -> None:
    errors = table.column("error").to_pylist()
    joined.clips += len(errors)
    joined.failed += sum(e is not None for e in errors)
    joined.ok = joined.clips - joined.failed
    if "duration_s" in table.column_names:
        joined.seconds += pc.sum(table.column("duration_s")).as_py() or 0.0
    for item, error in zip(items, errors, strict=True):
        if error is not None:
            cause = ":".join(error.split(":")[:2])
            joined.causes[cause] = joined.causes.get(cause, 0) + 1
            joined.examples.setdefault(cause, f"{item.id}: {error}")
    for name in table.column_names:
        column = table.column(name)
        joined.columns[name] = joined.columns.get(name, 0) + len(column) - column.null_count


def _row(job: Job, family: str) -> type[Row]:
    return job.of(family)[0].row


def _read_index(store: Store) -> Joined:
    known = json.loads(store.read(INDEX))
    return Joined(**known)
