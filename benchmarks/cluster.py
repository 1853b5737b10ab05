"""Whether the driver keeps the slots of a cluster fed, up to 256 of them.

    python -m benchmarks.cluster

The slots are simulated: an annotator that sleeps, in four processes of many threads each. All else is
real: the plan, Ray's actor calls, a queue of two tasks per slot, workers that read a shard and write its
sidecar. What a machine of two cores does besides sleeping bounds what it can show: `--sleep-s` and the
number of slots say how many shards a second there would be if the driver cost nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import ray

from benchmarks._cluster_ways import Sleeper
from benchmarks._machine import commit, processor
from pipeline.clip import AudioRef, Given
from pipeline.engine.driver import run_phase
from pipeline.engine.ray_actor import Actor
from pipeline.engine.ray_engine import QUEUED_PER_ACTOR, RayEngine
from pipeline.engine.ray_pools import RayPools
from pipeline.engine.watcher import Watcher
from pipeline.engine.work import unguarded
from pipeline.engine.worker import Report
from pipeline.job import Job, make_job
from pipeline.manifest import shard_of, write_shard
from pipeline.rundir import Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import WaySpec

_PROCESSES = 4
_COLUMNS = (
    *("slots", "sleep, s", "shards", "shards/s", "were nothing else done", "slots' time used"),
    *("driver's CPU, ms a shard", "its memory at a quarter and at the end, MB"),
)


class ManySlots(Actor):
    """An actor that works on many shards at once: a deadline is the whole process's, so there is none."""

    def __init__(self, job: Job, store: Store) -> None:
        super().__init__(job, store)
        self._worker.guard = unguarded


class _SharedPools(RayPools):
    """Pools whose slots share a few processes."""

    def __init__(self, slots: int, *rest: Any) -> None:
        super().__init__(*rest)
        self._slots_each = -(-slots // _PROCESSES)
        self._shared: list[Any] = []
        self._next = 0

    def actor(self, kind: Any) -> Any:
        """One of the few, in turn."""
        if not self._shared:
            many = ray.remote(concurrency_groups={"signs": 1})(ManySlots)
            asked = many.options(num_cpus=0, max_concurrency=self._slots_each)
            self._shared = [asked.remote(*self._args) for _ in range(_PROCESSES)]
        self._next += 1
        return self._shared[(self._next - 1) // self._slots_each]


class SimulatedEngine(RayEngine):
    """So many slots in four processes."""

    def __init__(self, slots: int) -> None:
        super().__init__(actors=slots)
        self._pools = _SharedPools(slots, self._cluster, print)


@dataclass
class _Memory(Watcher):
    """The driver's memory when a quarter of the run was over, and at its end."""

    count: int
    seen: int = 0
    quarter: int = 0

    def report(self, plan: object, report: Report) -> None:
        """Look once."""
        self.seen += 1
        if self.seen == self.count // 4:
            self.quarter = psutil.Process().memory_info().rss


def main() -> None:
    """Measure each number of slots, and print what became of the time of each."""
    arguments = _arguments()
    print(f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}, commit {commit()}\n")
    print(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    for slots in arguments.slots:
        with tempfile.TemporaryDirectory() as folder:
            print(_measured(slots, arguments.sleep_s, slots * arguments.rounds, Store(folder)), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--sleep-s", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=8, help="shards for each slot")
    return parser.parse_args()


def _measured(slots: int, sleep_s: float, count: int, store: Store) -> str:
    engine = SimulatedEngine(slots)
    try:
        warm = make_job([WaySpec("sleep", "timer", Sleeper, {"sleep_s": 0.0})], shard_size=1)
        _run(engine, warm, store, _shards(store, slots * QUEUED_PER_ACTOR, "warm"), _Memory(1))
        job = make_job([WaySpec("sleep", "timer", Sleeper, {"sleep_s": sleep_s})], shard_size=1)
        shards, memory = _shards(store, count, "clip"), _Memory(count)
        started, cpu = time.perf_counter(), time.process_time()
        _run(engine, job, store, shards, memory)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    finally:
        engine.stop()
    end = psutil.Process().memory_info().rss
    ideal = f"{slots / sleep_s:.1f}" if sleep_s else ""
    used = f"{count * sleep_s / (wall_s * slots):.1%}" if sleep_s else ""
    memories = f"{memory.quarter / 1e6:.0f}, {end / 1e6:.0f}"
    return (
        f"| {slots} | {sleep_s:g} | {count} | {count / wall_s:.1f} | {ideal} | {used} "
        f"| {1000 * cpu_s / count:.2f} | {memories} |"
    )


def _run(engine: RayEngine, job: Job, store: Store, shards: Sequence[Shard], watcher: Watcher) -> None:
    run_phase(job, store, engine, shards, job.ways, watcher, "benchmark")


def _shards(store: Store, count: int, stem: str) -> list[Shard]:
    shards = []
    for number in range(count):
        items = [Item(f"{stem}-{number}", AudioRef(str(Path("none") / f"{number}.wav")), Given())]
        shards.append(shard_of(number, items))
        write_shard(store, shards[-1], items)
    return shards


if __name__ == "__main__":
    main()
