"""What grows with the clips of a file, apart from what every file takes however few clips it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import pyarrow as pa

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of some quantity, such as bytes or seconds: `values`, by shard of the sample, without what is `fixed`
    for each file or shard."""

    values: list[float]
    fixed: float = 0.0

    def amounts(self, clips: Sequence[int], clips_of_each: float) -> list[float]:
        """What each shard's clips take of files that hold so many."""
        return [v + n * self.fixed / clips_of_each for v, n in zip(self.values, clips, strict=True)]

    def grouped(self, groups: int) -> Parts:
        """The same of so many groups of neighbouring shards."""
        return Parts(grouped(self.values, groups), self.fixed)


def grouped(of_shards: Sequence[N], groups: int) -> list[N]:
    """Sums over so many groups of neighbouring shards, as even as can be."""
    ends = [len(of_shards) * i // groups for i in range(groups + 1)]
    return [sum(of_shards[start:end]) for start, end in pairwise(ends)]


def plus(some: Sequence[Parts]) -> Parts:
    """Several quantities together."""
    values = [sum(column) for column in zip(*(parts.values for parts in some), strict=True)]
    return Parts(values, sum(parts.fixed for parts in some))


def sizes(tables: Sequence[pa.Table], encoded: Callable[[pa.Table], pa.Buffer]) -> Parts:
    """The bytes of one table in several shards.

    What a file takes of its own is what two files with half of the rows take more than one with all: names,
    types, statistics, and words that are written once a file. That is told from the same rows, so that it is
    as good for a few clips as for many.
    """
    whole = pa.concat_tables(tables)
    half = whole.num_rows // 2
    size = encoded(whole).size
    pieces = [whole.slice(0, half), whole.slice(half)] if half else [whole.slice(0, 0), whole]
    fixed = max(0, sum(encoded(piece).size for piece in pieces) - size)
    return Parts(_shared([float(encoded(table).size) for table in tables], size, size - fixed), float(fixed))


def _shared(files: Sequence[float], whole: float, values: float) -> list[float]:
    """The values of all, as the files tell how much of them is each shard's."""
    if len(files) < 2:
        return [values]
    own = (sum(files) - whole) / (len(files) - 1)
    return [(file - own) * values / (whole - own) for file in files]
