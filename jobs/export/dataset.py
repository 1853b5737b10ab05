"""The joined dataset of a run as a stream: rows beside the clips they belong to, shard by shard."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import RunError
from pipeline.join import INDEX
from pipeline.layout import read_index
from pipeline.manifest import read_shard
from pipeline.parquet import damaged
from pipeline.record import read_job
from pipeline.rundir import DATASET, Shard
from pipeline.source.base import Item
from pipeline.storage import Store

BATCH_ROWS = 256
"""Rows decoded at once: with words and captions about 1 MB."""


@dataclass(frozen=True)
class Dataset:
    """A run's dataset. RunError where a run has none."""

    store: Store
    record: dict[str, Any]
    index: dict[str, Any]

    @classmethod
    def open(cls, url: str) -> Dataset:
        """The dataset of the run in that directory."""
        store = Store(url)
        record = read_job(store)
        if not store.exists(INDEX):
            raise RunError(f"{url} holds no dataset yet: run `speechcraft annotate` to its end.")
        return cls(store, record, json.loads(store.read(INDEX)))

    @property
    def clips(self) -> int:
        """Rows in it."""
        return int(self.index["clips"])

    @property
    def digest(self) -> str:
        """Of its files: the same sidecars, the same digest."""
        facts = [[f["name"], f["sha256"]] for f in self.index["files"]]
        return hashlib.blake2b(json.dumps(facts).encode(), digest_size=12).hexdigest()

    @cached_property
    def schema(self) -> pa.Schema:
        """Its columns, each with `doc` and `unit` in its metadata."""
        with _opened(self.store, self._paths[0]) as file:
            return file.schema_arrow.remove_metadata()

    @cached_property
    def shards(self) -> list[Shard]:
        """The shards it was joined from, in its order."""
        return read_index(self.store)

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """All rows in order, some hundred at a time."""
        for path in self._paths:
            with _opened(self.store, path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
                    yield pa.Table.from_batches([batch]).select(list(columns))

    def by_shard(self, columns: Sequence[str]) -> Iterator[tuple[Shard, pa.Table]]:
        """The rows of each shard. RunError where the dataset is not that of the manifest."""
        wanted = list(dict.fromkeys(("id", *columns)))
        tables = self.tables(wanted)
        held: list[pa.Table] = []
        for shard in self.shards:
            while sum(t.num_rows for t in held) < shard.clips:
                table = next(tables, None)
                if table is None:
                    raise self._stale()
                held.append(table)
            whole = pa.concat_tables(held)
            held = [whole.slice(shard.clips)] if whole.num_rows > shard.clips else []
            yield shard, whole.slice(0, shard.clips)
        if held or next(tables, None) is not None:
            raise self._stale()

    def at(self, places: Collection[int]) -> dict[int, dict[str, Any]]:
        """The rows at these places, counted over the whole dataset; only the row groups with one are read."""
        found: dict[int, dict[str, Any]] = {}
        start = 0
        for path in self._paths:
            with _opened(self.store, path) as file:
                for group in range(file.num_row_groups):
                    end = start + file.metadata.row_group(group).num_rows
                    here = [place for place in places if start <= place < end]
                    if here:
                        rows = file.read_row_group(group, use_threads=False)
                        taken = rows.take(pa.array([place - start for place in here], pa.int64()))
                        found.update(zip(here, taken.to_pylist(), strict=True))
                    start = end
        return found

    def items(self, shard: Shard, rows: pa.Table) -> list[Item]:
        """The clips of a shard, which its rows must be of."""
        items = read_shard(self.store, shard)
        if [item.id for item in items] != rows.column("id").to_pylist():
            raise self._stale()
        return items

    @property
    def _paths(self) -> list[str]:
        return [f"{DATASET}/{f['name']}" for f in self.index["files"]]

    def _stale(self) -> RunError:
        return RunError(f"The dataset in {self.store.url} is not that of its manifest: annotate it again.")


def _opened(store: Store, path: str) -> pq.ParquetFile:
    """Read, not mapped."""
    source = pa.OSFile(store.full(path), "r") if store.is_local else pa.BufferReader(store.read(path))
    try:
        return pq.ParquetFile(source, pre_buffer=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(store, path, error) from error
