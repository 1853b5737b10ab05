"""What is left to do, and in which order: a bit per way and shard, never an object per shard."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.engine.base import Backlog
from pipeline.engine.worker import Task
from pipeline.job import Job
from pipeline.presence import Bits
from pipeline.rundir import Shard
from pipeline.way import Way


@dataclass(slots=True)
class Stage:
    """Ways that run in one pool, one after the other, without waiting for another pool.

    A family of the cpu pool that reads one of the gpu pool stands in a later stage than those the gpu
    pool reads: one pool can have several stages.
    """

    pool: str
    ways: tuple[Way, ...]
    after: tuple[int, ...]
    ready: deque[int] = field(default_factory=deque)
    queued: Bits = field(default_factory=lambda: np.zeros(0, bool))


class Plan:
    """The tasks of a phase. `done`, by the way's key, says what exists: it is not computed again.

    Whatever happens to one shard costs the same however many there are.
    """

    def __init__(
        self, job: Job, ways: Sequence[Way], shards: Sequence[Shard], done: Mapping[str, Bits]
    ) -> None:
        self.shards = shards
        self.clips = sum(s.clips for s in shards)
        self._done = {w.key: done[w.key].copy() for w in ways}
        self.stages = _stages(job, ways)
        self._lost = np.zeros(len(shards), bool)
        self._ended = {pool: _all([self._complete(s) for s in self._of(pool)]) for pool in self.pools}
        self._n_ended = {pool: int(np.sum(ended)) for pool, ended in self._ended.items()}
        for number, stage in enumerate(self.stages):
            stage.queued = self._complete(stage)
            for i in np.flatnonzero(~stage.queued & self._unblocked(number)):
                self._enqueue(number, int(i))

    @property
    def pools(self) -> tuple[str, ...]:
        """Every pool with work of its own."""
        return tuple(dict.fromkeys(s.pool for s in self.stages))

    def done(self, pool: str) -> int:
        """Shards with nothing left to do in the pool."""
        return self._n_ended[pool]

    def backlog(self, pool: str) -> Backlog:
        """What waits for the pool."""
        ready = sum(len(stage.ready) for stage in self.stages if stage.pool == pool)
        return Backlog(ready, len(self.shards) - self._n_ended[pool])

    def has(self, key: str) -> Bits:
        """Which shards have the sidecar of a way."""
        return self._done[key]

    def next(self, pool: str) -> tuple[int, Task] | None:
        """The pool's next task with the number of its stage: late stages first, so that shards finish."""
        for number in reversed(range(len(self.stages))):
            stage = self.stages[number]
            while stage.pool == pool and stage.ready:
                i = stage.ready.popleft()
                if not self._lost[i]:
                    return number, self._task(stage, i)
        return None

    def finish(self, number: int, shard: Shard) -> None:
        """A task is done: what waited for it can go."""
        i = self._position(shard)
        for way in self.stages[number].ways:
            self._done[way.key][i] = True
        pool = self.stages[number].pool
        if all(self._done[w.key][i] for s in self._of(pool) for w in s.ways):
            self._end(pool, i)
        for later, stage in enumerate(self.stages):
            if number in stage.after and not stage.queued[i] and self._can_start(later, i):
                self._enqueue(later, i)

    def again(self, number: int, shard: Shard, written: Iterable[str] = ()) -> None:
        """A task came to nothing but the sidecars it had written: queue the rest, ahead of the others."""
        i = self._position(shard)
        for key in written:
            self._done[key][i] = True
        if all(self._done[w.key][i] for w in self.stages[number].ways):
            self.finish(number, shard)
        else:
            self.stages[number].ready.appendleft(i)

    def give_up(self, shard: Shard) -> None:
        """Nothing more is done of this shard."""
        i = self._position(shard)
        self._lost[i] = True
        for pool in self.pools:
            self._end(pool, i)

    def _end(self, pool: str, i: int) -> None:
        self._n_ended[pool] += not self._ended[pool][i]
        self._ended[pool][i] = True

    def _of(self, pool: str) -> list[Stage]:
        return [s for s in self.stages if s.pool == pool]

    def _enqueue(self, number: int, i: int) -> None:
        self.stages[number].queued[i] = True
        self.stages[number].ready.append(i)

    def _task(self, stage: Stage, i: int) -> Task:
        return Task(self.shards[i], tuple(w.key for w in stage.ways if not self._done[w.key][i]))

    def _complete(self, stage: Stage) -> Bits:
        return _all([self._done[w.key] for w in stage.ways])

    def _unblocked(self, number: int) -> Bits:
        before = [self._complete(self.stages[a]) for a in self.stages[number].after]
        return _all([np.ones(len(self.shards), bool), *before])

    def _can_start(self, number: int, i: int) -> bool:
        before = (w.key for a in self.stages[number].after for w in self.stages[a].ways)
        return all(self._done[key][i] for key in before)

    def _position(self, shard: Shard) -> int:
        return bisect_left(self.shards, shard.index, key=lambda s: s.index)


def _all(bits: Sequence[Bits]) -> Bits:
    return np.asarray(np.logical_and.reduce(bits), bool)


def _stages(job: Job, ways: Sequence[Way]) -> list[Stage]:
    """Group ways by how often the pool changes on the longest path to them."""
    level: dict[str, int] = {}
    for way in ways:
        pool = job.pool_of(way.family)
        reads = [f for f in (*way.needs, *way.wants) if f in level]
        own = max((level[f] + (job.pool_of(f) != pool) for f in reads), default=0)
        level[way.family] = max(own, level.get(way.family, 0))
    groups: dict[tuple[int, str], list[Way]] = {}
    for way in ways:
        groups.setdefault((level[way.family], job.pool_of(way.family)), []).append(way)
    order = sorted(groups)
    numbers = {family.family: n for n, group in enumerate(order) for family in groups[group]}
    stages = []
    for n, group in enumerate(order):
        read = {f for w in groups[group] for f in (*w.needs, *w.wants)}
        after = sorted({numbers[f] for f in read if f in numbers} - {n})
        stages.append(Stage(group[1], tuple(groups[group]), tuple(after)))
    return stages
