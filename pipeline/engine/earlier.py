"""What failed in earlier calls of a run, from the sidecars that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline import again, sidecar
from pipeline.ahead import in_order
from pipeline.engine.tally import NEEDS, Failure
from pipeline.presence import present
from pipeline.rundir import Shard
from pipeline.storage import Store
from pipeline.way import Way

THREADS = 16
"""That read sidecars: on object storage each waits for an answer most of the time."""


def earlier_failures(
    store: Store, ways: Sequence[Way], shards: Sequence[Shard]
) -> Iterator[tuple[Shard, list[Failure]]]:
    """The failures in each sidecar that is there, and in what stands of one whose rows are computed again.

    Of a sidecar without failures the footer alone is read.
    """
    there = present(store, shards, [way.key for way in ways])
    marks = again.marked(store)

    def paths() -> Iterator[tuple[Way, Shard, str]]:
        for way in ways:
            for i, shard in enumerate(shards):
                if there[way.key][i]:
                    yield way, shard, shard.sidecar(way.key)
                elif shard.again(way.key) in marks:
                    yield way, shard, shard.again(way.key)

    def read(place: tuple[Way, Shard, str]) -> tuple[Shard, list[Failure]]:
        way, shard, path = place
        found = own_failures(store, path)
        return shard, [
            Failure(clip, way.family, way.name, code, reason, optional=way.optional)
            for clip, code, reason in found
        ]

    yield from in_order(read, paths(), THREADS)


def own_failures(store: Store, path: str) -> list[tuple[str, str, str]]:
    """Clip, code and reason of each failed row, without those that only lack what another was to make."""
    found = []
    for clip, error in sidecar.read_failures(store, path):
        code, reason = cause(error)
        if not code.startswith(NEEDS):
            found.append((clip, code, reason))
    return found


def cause(error: str) -> tuple[str, str]:
    """Code and reason of `code: reason`, as a row has them."""
    code, _, reason = error.partition(": ")
    return code, reason
