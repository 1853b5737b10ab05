"""Ray Core actors in pools. A dead actor is replaced; its task goes back to the driver.

Two tasks are queued per actor: while one is annotated, the next is on its way.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions

from pipeline.engine.alone import run_alone
from pipeline.engine.base import Done, Lost
from pipeline.engine.deadline import deadline_guard
from pipeline.engine.places import counts, cpus_for, local_gpus
from pipeline.engine.worker import Report, Task, Worker
from pipeline.errors import UsageError
from pipeline.job import Job, Pool
from pipeline.storage import Store

QUEUED_PER_ACTOR = 2
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""An actor per core and a thread pool per actor would fight for the same cores."""


class _Actor:
    """A worker in a process of its own."""

    def __init__(self, job: Job, store: Store) -> None:
        self._job = job
        self._store = store
        self._worker = Worker(job, store, deadline_guard(job.limits))

    def take(self, job: Job) -> None:
        """Work on another job from now on."""
        self._job = job
        self._worker.take(job)

    def node(self) -> str:
        """The node it runs on."""
        return str(ray.get_runtime_context().get_node_id())

    def run(self, task: Task) -> Report | UsageError:
        """Annotate a shard. A UsageError is returned: raised, Ray would wrap it in a class of its own."""
        try:
            return run_alone(self._job, self._store, task) if task.alone else self._worker.run(task)
        except UsageError as error:
            return error


@dataclass(eq=False, slots=True)
class _Slot:
    """One place for an actor: the actor changes when it dies, the place stays."""

    pool: Pool
    actor: Any
    node: Any
    running: int = 0


@dataclass(slots=True)
class _Flight:
    slot: _Slot
    actor: Any
    task: Task


class RayEngine:
    """Pools of actors on a local or a running Ray cluster.

    `address=None` starts a Ray of our own on this machine: without it Ray may join one left behind.
    """

    def __init__(self, address: str | None = None, actors: int | None = None) -> None:
        self._address = address or "local"
        self._actors = actors
        self._slots: list[_Slot] = []
        self._flights: dict[Any, _Flight] = {}
        self._args: tuple[Any, Any] | None = None
        self._place: tuple[Any, ...] = ()

    def start(self, job: Job, store: Store) -> None:
        """Bring up Ray and the actors of every pool; those of an earlier job on the same store go on."""
        if not ray.is_initialized():
            self._init(job)
        place = (store.url, job.pools, job.limits)
        self._args = (ray.put(job), ray.put(store))
        if self._slots and place == self._place:
            for slot in self._slots:
                slot.actor.take.remote(self._args[0])
            return
        self._drop_actors()
        self._place = place
        found = self._counts(job)
        for pool in job.pools:
            self._slots += [_Slot(pool, *self._spawn(pool)) for _ in range(found[pool.name])]

    def room(self, pool: str) -> int:
        """Free places in the queues of the pool's actors."""
        return sum(QUEUED_PER_ACTOR - s.running for s in self._slots if s.pool.name == pool)

    def submit(self, pool: str, task: Task) -> None:
        """Give the task to the pool's least busy actor."""
        slot = min((s for s in self._slots if s.pool.name == pool), key=lambda s: s.running)
        ref = slot.actor.run.remote(task)
        slot.running += 1
        self._flights[ref] = _Flight(slot, slot.actor, task)

    def wait(self) -> Sequence[Done | Lost]:
        """What ended within a second."""
        refs = list(self._flights)
        if not refs:
            return []
        ready, _ = ray.wait(refs, num_returns=1, timeout=1.0)
        if ready:
            ready, _ = ray.wait(refs, num_returns=len(refs), timeout=0)
        ended = set(ready)
        return [self._landed(ref) for ref in refs if ref in ended]

    def stop(self) -> None:
        """Kill the actors and, if it is ours, Ray."""
        self._drop_actors()
        ray.shutdown()

    def _landed(self, ref: Any) -> Done | Lost:
        """What became of a task. Called in the order of submission, as an actor works in that order."""
        flight = self._flights[ref]
        try:
            report = ray.get(ref)
        except ray.exceptions.RayActorError as error:
            blameless = self._was_queued(flight, ref) or self._lost_node(flight, error)
            self._forget(ref)
            self._replace(flight)
            return Lost(flight.task, _sentence(error), blameless)
        except ray.exceptions.RayError as error:
            self._forget(ref)
            return Lost(flight.task, _sentence(error))
        self._forget(ref)
        if isinstance(report, UsageError):
            raise report
        return Done(flight.task, report)

    def _forget(self, ref: Any) -> None:
        self._flights.pop(ref).slot.running -= 1

    def _was_queued(self, flight: _Flight, ref: Any) -> bool:
        """Whether the actor died over an earlier task, this one still waiting behind it."""
        if flight.slot.actor is not flight.actor:
            return True
        first = next(r for r, f in self._flights.items() if f.actor is flight.actor)
        return bool(first != ref)

    def _lost_node(self, flight: _Flight, error: ray.exceptions.RayActorError) -> bool:
        """Whether the actor went with its node."""
        if error.preempted:
            return True
        try:
            node = ray.get(flight.slot.node, timeout=0)
        except (ray.exceptions.RayError, TimeoutError):
            return False
        return not any(n["NodeID"] == node and n["Alive"] for n in ray.nodes())

    def _replace(self, flight: _Flight) -> None:
        if flight.slot.actor is flight.actor:
            flight.slot.actor, flight.slot.node = self._spawn(flight.slot.pool)

    def _spawn(self, pool: Pool) -> tuple[Any, Any]:
        """An actor, and the promise of the node it is on."""
        options: dict[str, Any] = {
            "num_cpus": pool.cpus,
            "num_gpus": pool.gpus,
            "max_restarts": 0,
            "max_task_retries": 0,
            "runtime_env": {"env_vars": ONE_THREAD},
        }
        if pool.memory_gb:
            options["memory"] = int(pool.memory_gb * 2**30)
        assert self._args is not None
        actor = ray.remote(_Actor).options(**options).remote(*self._args)
        return actor, actor.node.remote()

    def _drop_actors(self) -> None:
        for slot in self._slots:
            ray.kill(slot.actor)
        self._slots.clear()
        self._flights.clear()

    def _counts(self, job: Job) -> dict[str, int]:
        if self._address == "local":
            return counts(job, os.cpu_count() or 1, local_gpus(), self._actors)
        there = ray.cluster_resources()
        return counts(job, there.get("CPU", 1), there.get("GPU", 0), self._actors)

    def _init(self, job: Job) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        local: dict[str, Any] = {}
        if self._address == "local":
            local = {
                "include_dashboard": False,
                "object_store_memory": 100 * 2**20,
                "num_cpus": max(math.ceil(cpus_for(job, self._counts(job))), os.cpu_count() or 1),
            }
        ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR, **local)


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:400] or type(error).__name__
