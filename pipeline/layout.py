"""Which clips stand in which shards, and what was known of each: what a later plan is held against.

Sixteen bytes a clip, so that to plan again nothing of an earlier plan need be read but this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import parquet
from pipeline.rundir import INDEX, SOURCE, Shard
from pipeline.storage import Store

Digests = npt.NDArray[np.uint64]  # [n_clips]


def _none() -> Digests:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Laid:
    """A shard as it was planned. `ids` and `lines` are digests of its clips' ids and of all that is known.

    `longest_s` is the length of its longest recording that may have to be cut; infinite where unknown.
    """

    shard: Shard
    ids: Digests
    lines: Digests
    longest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """All shards of a plan. `ids` and `lines` are those of the shards, one after the other."""

    shards: list[Shard] = field(default_factory=list)
    longest_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # [n_shards]
    ids: Digests = field(default_factory=_none)
    lines: Digests = field(default_factory=_none)

    @classmethod
    def of(cls, laid: Sequence[Laid]) -> Layout:
        """These shards, in order."""
        return cls(
            [one.shard for one in laid],
            np.array([one.longest_s for one in laid], np.float64),
            np.concatenate([_none(), *(one.ids for one in laid)]),
            np.concatenate([_none(), *(one.lines for one in laid)]),
        )

    def starts(self) -> npt.NDArray[np.int64]:
        """Where each shard begins among the clips, and the end of the last; [n_shards + 1]."""
        return np.concatenate([[0], np.cumsum([shard.clips for shard in self.shards], dtype=np.int64)])

    def __iter__(self) -> Iterator[Laid]:
        starts = self.starts()
        for n, shard in enumerate(self.shards):
            clips = slice(starts[n], starts[n + 1])
            yield Laid(shard, self.ids[clips], self.lines[clips], float(self.longest_s[n]))


def write(store: Store, path: str, layout: Layout) -> None:
    """Keep a layout: which shards are current."""
    starts = pa.array(layout.starts(), pa.int64())
    columns: dict[str, pa.Array[Any]] = {
        "shard": pa.array([s.index for s in layout.shards], pa.int64()),
        "hash": pa.array([s.hash for s in layout.shards], pa.string()),
        "clips": pa.array([s.clips for s in layout.shards], pa.int64()),
        "seconds": pa.array([s.seconds for s in layout.shards], pa.float64()),
        "longest_s": pa.array(layout.longest_s, pa.float64()),
        "ids": pa.LargeListArray.from_arrays(starts, pa.array(layout.ids, pa.uint64())),
        "lines": pa.LargeListArray.from_arrays(starts, pa.array(layout.lines, pa.uint64())),
    }
    parquet.write(store, path, pa.table(columns))


def read(store: Store, path: str) -> Layout:
    """A layout; an empty one where none was kept."""
    table = _table(store, path, None)
    if table is None:
        return Layout()
    ids, lines = (_flat(table.column(name)) for name in ("ids", "lines"))
    return Layout(_shards(table), table.column("longest_s").to_numpy(), ids, lines)


def gone(path: str) -> str:
    """Where the shards are kept that a layout once had, and that are gone from it wholly or in part."""
    return f"{path.removesuffix('.parquet')}-gone.parquet"


def remembered(now: Layout, gone: Layout, have: Collection[str]) -> Layout:
    """A layout as it was before clips went away: each shard as it is, or the fuller one that is gone.

    What is gone counts while its clips are among the files `have`, and none of them is in another shard.
    """
    by_index = {laid.shard.index: laid for laid in now}
    current = np.isin(gone.ids, now.ids)
    starts = gone.starts()
    for n, fuller in enumerate(gone):
        laid = by_index.get(fuller.shard.index)
        ids = _none() if laid is None else laid.ids
        meet = fuller.ids[current[starts[n] : starts[n + 1]]]
        if fuller.shard.manifest in have and len(ids) < len(fuller.ids) and np.array_equal(meet, ids):
            by_index[fuller.shard.index] = fuller
    return Layout.of([by_index[index] for index in sorted(by_index)])


def read_index(store: Store) -> list[Shard]:
    """The current shards, in order; empty if none were planned."""
    table = _table(store, INDEX, ["shard", "hash", "clips", "seconds"])
    return [] if table is None else _shards(table)


def read_long(store: Store, longest_s: float) -> list[Shard]:
    """The shards of the source that hold a recording longer than that, or one of unknown length."""
    table = _table(store, SOURCE, ["shard", "hash", "clips", "seconds", "longest_s"])
    return (
        []
        if table is None
        else _shards(table.filter(pc.greater(table.column("longest_s"), pa.scalar(longest_s))))
    )


def _table(store: Store, path: str, columns: Sequence[str] | None) -> pa.Table | None:
    try:
        return parquet.read(store, path, columns)
    except FileNotFoundError:
        return None


def _flat(column: pa.ChunkedArray[Any]) -> Digests:
    return np.concatenate([_none(), *(pc.list_flatten(chunk).to_numpy() for chunk in column.chunks)])


def _shards(table: pa.Table) -> list[Shard]:
    names = ("shard", "hash", "clips", "seconds")
    return [Shard(*line) for line in zip(*(table.column(n).to_pylist() for n in names), strict=True)]
