"""What reading and writing a shard costs beside its annotation: the sample's own rows, written once more.

In shards as large as those of the run to come, so far as the sample goes, and in shards of half the size.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jobs.forecast.parts import Parts
from jobs.forecast.spent import Meter, keys_of_pools
from pipeline import again
from pipeline.annotator import Annotator, Heard, SoundAnnotator
from pipeline.clip import Clip
from pipeline.engine.plan import Plan
from pipeline.engine.work import Found
from pipeline.engine.worker import Task, Worker
from pipeline.job import Job
from pipeline.manifest import read_shard
from pipeline.planning import plan_source, plan_utterances
from pipeline.rundir import Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import Way

ROUNDS = 2
"""The quicker counts: the first also imports and looks up."""


class _Known(Annotator[Any]):
    """Says what is known of each clip."""

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._found = found

    def annotate(self, clips: Sequence[Clip]) -> list[Any]:
        """The outcomes."""
        return [self._found[clip.id][0] for clip in clips]


class _KnownSound(SoundAnnotator[Any]):
    """Says what is known of each clip, with the sound."""

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._found = found

    def hear(self, clips: Sequence[Clip]) -> list[Any]:
        """The outcomes."""
        return [_heard(*self._found[clip.id]) for clip in clips]


def beside_s(job: Job, store: Store, shards: Sequence[Shard]) -> dict[str, Parts]:
    """Seconds by pool; a shard's values are what its clips are of all. The sound must have been kept."""
    items = [item for shard in shards for item in read_shard(store, shard)]
    known = {way.key: _known(store, shards, way) for way in job.ways}
    size = min(len(items), job.shard_size)
    whole = _least(job, items, known, size)
    half = _least(job, items, known, math.ceil(size / 2))
    found = {}
    for pool, spent in whole.items():
        more = math.ceil(len(items) / math.ceil(size / 2)) - math.ceil(len(items) / size)
        fixed = max(0.0, (half[pool] - spent) / more) if more else 0.0
        values = max(0.0, spent - fixed * math.ceil(len(items) / size))
        found[pool] = Parts([values * shard.clips / len(items) for shard in shards], fixed)
    return found


def _known(store: Store, shards: Sequence[Shard], way: Way) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for shard in shards:
        ids = [item.id for item in read_shard(store, shard)]
        for i, outcome in again.kept(store, shard, way, ids, shard.sidecar(way.key)).items():
            found[ids[i]] = outcome
    return found


def _heard(outcome: Any, sound: Any) -> Any:
    return outcome if sound is None else Heard(outcome, sound.samples())


def _least(
    job: Job, items: Sequence[Item], known: Mapping[str, Mapping[str, Found]], size: int
) -> dict[str, float]:
    rounds = [_once(job, items, known, size) for _ in range(ROUNDS)]
    return {pool: min(spent[pool] for spent in rounds) for pool in rounds[0]}


def _once(
    job: Job, items: Sequence[Item], known: Mapping[str, Mapping[str, Found]], size: int
) -> dict[str, float]:
    """Seconds by pool for all items, in shards of that size."""
    meter = Meter(job)
    with tempfile.TemporaryDirectory(prefix="speechcraft-plan-") as folder:
        store = Store(folder)
        worker = Worker(job, store)
        for way in job.ways:
            made = _KnownSound if way.makes_sound else _Known
            worker.take_for(way, made(known[way.key]))
        shards = plan_utterances(store, plan_source(store, items, size), None, size)
        for task in _tasks(job, shards):
            meter.keep(worker.run(task))
    return {
        pool: sum(max(0.0, spent.beside_s(pool, keys)) for spent in meter.spent.values())
        for pool, keys in keys_of_pools(job).items()
    }


def _tasks(job: Job, shards: Sequence[Shard]) -> Iterator[Task]:
    plan = Plan(job, job.ways, shards, {way.key: np.zeros(len(shards), bool) for way in job.ways})
    while found := next((found for pool in plan.pools if (found := plan.next(pool))), None):
        number, task = found
        yield task
        plan.finish(number, task.shard)
