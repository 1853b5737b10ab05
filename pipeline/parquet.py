"""Parquet files of a run directory: whole tables, read and written in one thread.

`pyarrow.parquet.read_table` reads through dataset threads; one that still holds a Python buffer when
the interpreter ends aborts the process (seen in 1 of 10 runs of a short command). Files here are
small: one thread is also the fastest way.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import RunError
from pipeline.filesystems import reason, redacted
from pipeline.storage import Store


def read(store: Store, path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The columns of a file, all of them if none are named; RunError if it is damaged."""
    data = store.map(path)
    try:
        with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False) as file:
            return file.read(None if columns is None else list(columns), use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(store, path, error) from error


def metadata(store: Store, path: str) -> dict[bytes, bytes]:
    """The key-value metadata of a file; RunError if it is damaged."""
    data = store.map(path)
    try:
        with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False) as file:
            return dict(file.schema_arrow.metadata or {})
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(store, path, error) from error


def write(store: Store, path: str, table: pa.Table) -> pa.Buffer:
    """Write a table; the bytes written. The same table gives the same bytes."""
    data = encoded(table)
    store.write(path, data)
    return data


def encoded(table: pa.Table) -> pa.Buffer:
    """A table as a file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=10_000)
    return sink.getvalue()


def damaged(store: Store, path: str, error: Exception) -> RunError:
    """The error for a file that is there and cannot be read."""
    return RunError(f"{redacted(store.full(path))} is damaged ({reason(error)}): remove it and run again.")
