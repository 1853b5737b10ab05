"""Packs the sidecars of a thousand shards as soon as all are there, beside the run."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import numpy as np

from pipeline.engine.plan import Plan
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report
from pipeline.errors import StorageError
from pipeline.packing import pack_up
from pipeline.packs import PACK_SHARDS
from pipeline.rundir import Shard
from pipeline.storage import Store

log = logging.getLogger(__name__)


class Packer(Watcher):
    """Of all shards of a run, in a thread; at the end it waits until all that is complete is packed."""

    def __init__(self, store: Store, shards: Sequence[Shard]) -> None:
        self._store = copy(store)  # a thread has connections of its own
        self._blocks = full_blocks(shards)
        self._left: Counter[tuple[str, int]] = Counter()
        self._thread = ThreadPoolExecutor(1)
        self._stopped = False

    def planned(self, plan: Plan) -> None:
        """Counts what each thousand of shards lacks, and packs what a call that was killed left complete."""
        self._left.clear()
        for way in (way for stage in plan.stages for way in stage.ways):
            for i in np.flatnonzero(~plan.has(way.key)):
                self._left[way.key, plan.shards[int(i)].index // PACK_SHARDS] += 1
            self._pack(way.key, [block for block in self._blocks if not self._left[way.key, block]])

    def report(self, plan: Plan, report: Report) -> None:
        """Packs a thousand when its last sidecar is there."""
        block = report.task.shard.index // PACK_SHARDS
        for key in report.tallies:
            self._left[key, block] -= 1
            if not self._left[key, block] and block in self._blocks:
                self._pack(key, [block])

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopped = kind is not None
        self._thread.shutdown(cancel_futures=kind is not None)

    def _pack(self, key: str, blocks: Sequence[int]) -> None:
        if blocks:
            self._thread.submit(self._pack_quietly, key, blocks)

    def _pack_quietly(self, key: str, blocks: Sequence[int]) -> None:
        """Failing costs nothing: the files stay as they are."""
        wanted = ([s.sidecar(key) for s in self._blocks[n]] for n in blocks if not self._stopped)
        try:
            pack_up(self._store, key, wanted)
        except (StorageError, FileNotFoundError) as error:
            log.warning("the sidecars of %s stay unpacked: %s", key, error)


def full_blocks(shards: Sequence[Shard]) -> dict[int, list[Shard]]:
    """The shards by their thousands, those that nothing will be added to."""
    blocks: dict[int, list[Shard]] = {}
    for shard in shards:
        blocks.setdefault(shard.index // PACK_SHARDS, []).append(shard)
    last = max(blocks, default=-1)
    return {n: block for n, block in blocks.items() if n != last or len(block) == PACK_SHARDS}
