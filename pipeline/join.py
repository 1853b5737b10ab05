"""The join: every sidecar of a run side by side, one row per clip, as a dataset anyone can load.

What people corrected stands before what was found, and `review` says so.

Its bytes depend on the job and the clips alone: not on hosts, times, retries or the number of workers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import parquet, sidecar
from pipeline.ahead import in_order
from pipeline.card import CARD, write_card
from pipeline.errors import ClipError, ShardError
from pipeline.filesystems import without_password
from pipeline.job import Job, Way
from pipeline.manifest import read_shard
from pipeline.presence import Bits, present
from pipeline.review.reviewed import REVIEW_TYPE, Reviewed, corrected_table
from pipeline.rows import Row
from pipeline.rundir import DATASET, FAILURES, Shard
from pipeline.schema import GIVEN_COLUMNS, columns_of
from pipeline.storage import Store

FILE_BYTES = 256 * 2**20
"""Of Arrow memory; compressed files are smaller."""
AHEAD, AHEAD_FAR = 2, 32
"""Shards read at once, from this disk and from far away, where it is the waiting that takes time."""
INDEX = f"{DATASET}/index.json"
FORMAT = 1
"""Raise it when the same sidecars begin to give another dataset."""
TOLERATED = "tolerated"
"""The status, in the join alone, of a row that an optional annotator failed on."""
_ROOT = re.compile(r"; (?=[a-z_]+: [a-z_]+: )")
"""Between the complaints about one clip; the first is the root cause."""


@dataclass(slots=True)
class Joined:
    """What the dataset holds. `causes` counts failed clips by family and code, with an example of each."""

    clips: int = 0
    ok: int = 0
    failed: int = 0
    seconds: float = 0.0
    causes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    tolerated: dict[str, int] = field(default_factory=dict)
    """Failures of optional annotators, by family and code: their clips are not failed."""
    columns: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, object]] = field(default_factory=list)
    inputs: str = ""
    made_of: dict[str, int] = field(default_factory=dict)
    """How many sidecars of each way there were, for the shards that `shards` is a digest of."""
    shards: str = ""
    reviews: str = ""


def root_cause(error: str) -> str:
    """The first complaint about a clip, of a dataset's `error` or `skipped`: `family: code: sentence`."""
    return _ROOT.split(error, maxsplit=1)[0]


def join(store: Store, job: Job, shards: Sequence[Shard]) -> Joined:
    """Write dataset/, or leave it if it was made from the same sidecars.

    Each state of the sidecars has a folder of its own, data-<digest>: a generation. The card and index.json
    name one that is complete; the one before stays for those who still read it, until the next join.
    """
    there = _There.find(store, job, shards)
    reviewed = Reviewed.read(store)
    corrected = _There.find(store, job, reviewed.shards)
    inputs = there.digest(job, shards)
    if reviews := reviewed.digest():
        more = f"{inputs}{reviews}{corrected.digest(job, reviewed.shards)}"
        inputs = hashlib.blake2b(more.encode(), digest_size=12).hexdigest()
    known = _known(store)
    have = store.names(DATASET)
    if known is not None and known.inputs == inputs and not _lacks(known, have):
        return known
    made_of = {key: int(np.sum(bits)) for key, bits in there.sidecars.items()}
    joined = Joined(inputs=inputs, made_of=made_of, shards=digest_of(shards), reviews=reviews)
    reviewed.take(found.table for found in _tables(store, job, reviewed.shards, corrected))
    _write_files(store, job, shards, there, reviewed, joined)
    write_card(store, job, asdict(joined))
    store.write(INDEX, json.dumps(asdict(joined), ensure_ascii=False, indent=1).encode())
    kept = {INDEX, CARD, *_paths(joined), *(_paths(known) if known is not None else ())}
    there_now = store.names(DATASET)
    if _lacks(
        joined, there_now
    ):  # another run, at work without a lease, took our files for an earlier state's
        return join(store, job, shards)
    store.remove_files(there_now - kept)
    return joined


def outdate(store: Store) -> None:
    """Have the next join write the dataset anew: rows change in sidecars that will have the same names."""
    known = _known(store)
    if known is not None:
        known.inputs = ""
        store.write(INDEX, json.dumps(asdict(known), ensure_ascii=False, indent=1).encode())


def generation(inputs: str) -> str:
    """The folder, inside of dataset/, of the data made from these inputs."""
    return f"data-{inputs[:12]}"


def _known(store: Store) -> Joined | None:
    """What index.json says; nothing where there is none."""
    try:
        return Joined(**json.loads(store.read(INDEX)))
    except FileNotFoundError:
        return None


def _paths(joined: Joined) -> list[str]:
    return [f"{DATASET}/{facts['name']}" for facts in joined.files]


def _lacks(joined: Joined, have: Collection[str]) -> bool:
    return CARD not in have or any(path not in have for path in _paths(joined))


@dataclass(frozen=True, slots=True)
class _There:
    """What there is to join: sidecars by their way's key, and why other shards were given up."""

    sidecars: Mapping[str, Bits]
    reasons: Mapping[Shard, str]

    @classmethod
    def find(cls, store: Store, job: Job, shards: Sequence[Shard]) -> _There:
        failures = store.names(FAILURES)
        lost = [shard for shard in shards if shard.failure in failures]
        reasons = {shard: str(json.loads(store.read(shard.failure))["reason"]) for shard in lost}
        return cls(present(store, shards, [way.key for way in job.ways]), reasons)

    def digest(self, job: Job, shards: Sequence[Shard]) -> str:
        digest = hashlib.blake2b(f"{FORMAT}".encode(), digest_size=12)
        digest.update(dataset_schema(job).serialize())
        for shard in shards:
            digest.update(f"{shard.name}{self.reasons.get(shard, '')}".encode())
        for way in job.ways:
            digest.update(way.key.encode() + self.sidecars[way.key].tobytes() + b"optional" * way.optional)
        return digest.hexdigest()


def digest_of(shards: Sequence[Shard]) -> str:
    """Of the names of all shards, in order."""
    return hashlib.blake2b("".join(s.name for s in shards).encode(), digest_size=12).hexdigest()


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


def _write_files(
    store: Store, job: Job, shards: Sequence[Shard], there: _There, reviewed: Reviewed, joined: Joined
) -> None:
    """The data, in the folder of its generation, which nobody reads yet."""
    tables: list[pa.Table] = []
    size = 0
    for found in _tables(store, job, shards, there):
        table = reviewed.over(found.table)
        _count(table, joined)
        _count_tolerated(found.families, joined)
        tables.append(table)
        size += table.nbytes
        if size >= FILE_BYTES:
            _write_file(store, tables, joined)
            tables, size = [], 0
    if tables:
        _write_file(store, tables, joined)


def _write_file(store: Store, tables: list[pa.Table], joined: Joined) -> None:
    name = f"{generation(joined.inputs)}/train-{len(joined.files):05d}.parquet"
    table = pa.concat_tables(tables)
    data = parquet.write(store, f"{DATASET}/{name}", table)
    digest = hashlib.sha256(data).hexdigest()
    joined.files.append({"name": name, "rows": table.num_rows, "bytes": data.size, "sha256": digest})


def _tables(store: Store, job: Job, shards: Sequence[Shard], there: _There) -> Iterator[_Joining]:
    """Shard after shard, some of them read ahead."""
    schema = dataset_schema(job)

    def read(number: int) -> _Joining:
        return _side_by_side(store, job, shards[number], number, there, schema)

    yield from in_order(read, range(len(shards)), AHEAD if store.is_local else AHEAD_FAR)


@dataclass(frozen=True, slots=True)
class _Joining:
    """A shard's clips: what is known of each family, and all of it side by side."""

    families: dict[str, pa.Table]
    table: pa.Table


def _side_by_side(
    store: Store, job: Job, shard: Shard, number: int, there: _There, schema: pa.Schema
) -> _Joining:
    clips = parquet.read(store, shard.manifest)
    items = read_shard(store, shard) if "corrections" in clips.column_names else []
    ids = clips.column("id")
    have = {way.key for way in job.ways if there.sidecars[way.key][number]}
    reason = there.reasons.get(shard, "the shard was not annotated")
    families = {}
    for f in job.families:
        found = _family(store, job, shard, f, have, ids, reason)
        families[f] = corrected_table(_row(job, f), found, items) if items else found
    return _Joining(families, _one_table(clips, families, schema))


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


def _complaints(families: dict[str, pa.Table], *statuses: str) -> list[str | None]:
    """What went wrong with each clip, root causes first: `family: code: sentence; ...`."""
    found: list[list[str]] = [[] for _ in range(next(iter(families.values())).num_rows)]
    for family, table in families.items():
        hit = np.flatnonzero(pc.is_in(table.column("status"), value_set=pa.array(statuses)).to_numpy())
        errors = table.column("error").take(pa.array(hit, pa.int64())).to_pylist() if len(hit) else []
        for i, error in zip(hit, errors, strict=True):
            found[i].append(f"{family}: {error}")
    return ["; ".join(sorted(f, key=lambda text: ": needs" in text)) or None for f in found]


def _count(table: pa.Table, joined: Joined) -> None:
    errors = table.column("error").to_pylist()
    joined.clips += len(errors)
    joined.failed += sum(e is not None for e in errors)
    joined.ok = joined.clips - joined.failed
    if "duration_s" in table.column_names:
        joined.seconds += pc.sum(table.column("duration_s")).as_py() or 0.0
    for i, error in enumerate(errors):
        if error is not None:
            cause = ":".join(error.split(":")[:2])
            joined.causes[cause] = joined.causes.get(cause, 0) + 1
            joined.examples.setdefault(cause, f"{table.column('id')[i]}: {root_cause(error)}")
    for name in table.column_names:
        column = table.column(name)
        joined.columns[name] = joined.columns.get(name, 0) + len(column) - column.null_count


def _count_tolerated(families: dict[str, pa.Table], joined: Joined) -> None:
    for family, table in families.items():
        hit = pc.equal(table.column("status"), pa.scalar(TOLERATED))
        for error in table.column("error").filter(hit).to_pylist():
            cause = f"{family}: {str(error).partition(':')[0]}"
            joined.tolerated[cause] = joined.tolerated.get(cause, 0) + 1


def _row(job: Job, family: str) -> type[Row]:
    return job.of(family)[0].row
