"""A sidecar: what one annotator found of one shard, one row per clip, in the manifest's order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import parquet
from pipeline.annotator import Skip
from pipeline.clip import Absent
from pipeline.errors import ClipError
from pipeline.rows import Row
from pipeline.schema import columns_of, from_table, to_arrays
from pipeline.storage import Store

R = TypeVar("R", bound=Row)
Outcome = Row | Skip | ClipError
OK, SKIPPED, FAILED = "ok", "skipped", "failed"


def schema_of(row: type[Row]) -> pa.Schema:
    """The columns of a sidecar: id, status, error, then the row's."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("status", pa.string(), nullable=False),
            pa.field("error", pa.string()),
            *(c.arrow for c in columns_of(row)),
        ]
    )


def to_table(row: type[Row], ids: Sequence[str], outcomes: Sequence[Outcome]) -> pa.Table:
    """Outcomes as a table; `error` is `code: sentence` for failures and the reason for skips."""
    rows = [o if isinstance(o, Row) else None for o in outcomes]
    absent = [absence(o) for o in outcomes]
    return pa.Table.from_arrays(
        [
            pa.array(ids, pa.string()),
            pa.array([a.status if a else OK for a in absent], pa.string()),
            pa.array([a.error if a else None for a in absent], pa.string()),
            *to_arrays(row, rows),
        ],
        schema=schema_of(row),
    )


def absence(outcome: Outcome) -> Absent | None:
    """Why there is no row; None where there is one."""
    if isinstance(outcome, Skip):
        return Absent(SKIPPED, outcome.reason)
    if isinstance(outcome, ClipError):
        return Absent(FAILED, f"{outcome.code}: {outcome}")
    return None


def write(store: Store, path: str, table: pa.Table, provenance: Mapping[str, object]) -> None:
    """Write a sidecar; `provenance` goes into the file's metadata, so that it explains itself."""
    metadata = {"speechcraft": json.dumps(provenance, ensure_ascii=False, sort_keys=True)}
    parquet.write(store, path, table.replace_schema_metadata(metadata))


def read_rows(store: Store, path: str, row: type[R]) -> list[R | Absent]:
    """A sidecar as rows, with the reason where a clip has none."""
    table = parquet.read(store, path)
    status, error = table.column("status").to_pylist(), table.column("error").to_pylist()
    filled = iter(from_table(row, table.filter(pc.equal(table.column("status"), pa.scalar(OK)))))
    return [next(filled) if s == OK else Absent(str(s), e or "") for s, e in zip(status, error, strict=True)]


def provenance(store: Store, path: str) -> dict[str, Any]:
    """How a sidecar came about: annotator, version, options, models, fingerprint, given fields."""
    found: dict[str, Any] = json.loads(parquet.metadata(store, path).get(b"speechcraft", b"{}"))
    return found


def read_failures(store: Store, path: str) -> list[tuple[str, str]]:
    """The failed clips of a sidecar with their errors; where none failed, the footer alone is looked at.

    RunError if it is damaged.
    """
    data = store.map(path)
    try:
        with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False) as file:
            if not _may_hold(file.metadata, FAILED):
                return []
            table = file.read(["id", "status", "error"], use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise parquet.damaged(store, path, error) from error
    table = table.filter(pc.equal(table.column("status"), pa.scalar(FAILED)))
    return [(str(line["id"]), line["error"] or "") for line in table.to_pylist()]


def _may_hold(footer: Any, status: str) -> bool:
    """Whether the least and the greatest status of some row group have this one between them."""
    column = footer.schema.names.index("status")
    found = [footer.row_group(i).column(column).statistics for i in range(footer.num_row_groups)]
    return any(s is None or not s.has_min_max or s.min <= status <= s.max for s in found)
