"""Ray Core actors in pools. A dead actor is replaced; its task goes back to the driver.

Two tasks are queued per actor: while one is annotated, the next is on its way.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions

from pipeline.engine.alone import run_alone
from pipeline.engine.base import Done, Lost
from pipeline.engine.deadline import deadline_guard
from pipeline.engine.pools import Resources, local_gpus, require_gpus, sizes
from pipeline.engine.worker import Report, Task, Worker
from pipeline.errors import LoadError, RunError, ShardError, UsageError
from pipeline.job import Job, Pool
from pipeline.storage import Store

log = logging.getLogger(__name__)

QUEUED_PER_ACTOR = 2
DEATH_S = 60.0
"""How long Ray may take to tell that a task of a dead actor is lost."""
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

    def run(self, task: Task) -> Report | UsageError | ShardError:
        """Annotate a shard. Errors of ours are returned: those raised, Ray wraps in a class of its own."""
        try:
            return run_alone(self._job, self._store, task) if task.alone else self._worker.run(task)
        except (UsageError, ShardError) as error:
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
        self._own = False
        self._joined = False
        self.held_gpus = 0.0
        """GPUs that no pool may take."""

    def start(self, job: Job, store: Store) -> None:
        """Bring up Ray and the actors of every pool; those of an earlier job on the same store go on."""
        if self._address == "local":
            require_gpus(job, local_gpus() - self.held_gpus)
        self.connect()
        place = (store.url, job.pools, job.limits)
        self._args = (ray.put(job), ray.put(store))
        if self._slots and place == self._place and not self._flights:
            for slot in self._slots:
                slot.actor.take.remote(self._args[0])
            return
        self.dismiss()
        self._place = place
        for pool, count in zip(job.pools, self._sizes(job.pools), strict=True):
            self._slots += [_Slot(pool, *self._spawn(pool)) for _ in range(count)]

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
        return [o for ref in refs if ref in ended and ref in self._flights for o in self._landed(ref)]

    def stop(self) -> None:
        """Kill the actors, and leave or end the Ray that was joined or brought up."""
        self.dismiss()
        if self._joined:
            ray.shutdown()
        self._own = self._joined = False

    def connect(self) -> None:
        """Bring Ray up, or join it; nothing where that is done."""
        if not ray.is_initialized():
            self._init()

    def gpus(self) -> float:
        """The GPUs of the Ray it is connected to."""
        return float(ray.cluster_resources().get("GPU", 0))

    def local_host(self) -> str | None:
        """Where the actors of a Ray of our own reach each other; none: at the address of their node."""
        return "127.0.0.1" if self._own else None

    def dismiss(self) -> None:
        """Kill the actors; Ray stays."""
        for slot in self._slots:
            ray.kill(slot.actor)
        self._slots.clear()
        self._flights.clear()

    def _landed(self, ref: Any) -> list[Done | Lost]:
        """What became of a task, and with it of all others of an actor that is dead."""
        flight = self._flights[ref]
        try:
            return [self._book(ref)]
        except ray.exceptions.RayError as error:
            return self._bury(flight, error)

    def _book(self, ref: Any) -> Done | Lost:
        """The end of a task whose actor lives on. Raises RayError if it does not."""
        task = self._flights[ref].task
        try:
            report = ray.get(ref, timeout=DEATH_S)
        except ray.exceptions.RayTaskError as error:
            report = ShardError(_cause(error))
        self._forget(ref)
        if isinstance(report, UsageError):
            raise report
        if isinstance(report, ShardError):
            return Lost(task, str(report), unloadable=isinstance(report, LoadError))
        return Done(task, report)

    def _forget(self, ref: Any) -> None:
        self._flights.pop(ref).slot.running -= 1

    def _bury(self, flight: _Flight, error: ray.exceptions.RayError) -> list[Done | Lost]:
        """The tasks of a dead actor, in the order it worked in: the first unfinished one killed it.

        All at once: the deaths of the task at work and of the one behind it may be seen in either order.
        """
        blameless = self._lost_node(flight, error)
        log.warning("an actor of pool %s is dead: %s", flight.slot.pool.name, error)
        ray.kill(flight.actor)  # Ray may only have lost sight of it
        ended: list[Done | Lost] = []
        for ref in [ref for ref, other in self._flights.items() if other.actor is flight.actor]:
            try:
                ended.append(self._book(ref))
            except ray.exceptions.RayError as death:
                ended.append(Lost(self._flights[ref].task, _cause(death), blameless))
                self._forget(ref)
                blameless = True
        flight.slot.actor, flight.slot.node = self._spawn(flight.slot.pool)
        return ended

    def _lost_node(self, flight: _Flight, error: ray.exceptions.RayError) -> bool:
        """Whether the actor went with its node."""
        if getattr(error, "preempted", False) or isinstance(error, ray.exceptions.NodeDiedError):
            return True
        try:
            node = ray.get(flight.slot.node, timeout=0)
        except (ray.exceptions.RayError, TimeoutError):
            return False
        return not any(n["NodeID"] == node and n["Alive"] for n in ray.nodes())

    def _spawn(self, pool: Pool) -> tuple[Any, Any]:
        """An actor, and the promise of the node it is on."""
        options: dict[str, Any] = {
            "num_cpus": 0 if self._own else pool.cpus,
            "num_gpus": pool.gpus,
            "max_restarts": 0,
            "max_task_retries": 0,
            "runtime_env": {"env_vars": ONE_THREAD},
        }
        if pool.memory_gb and not self._own:
            options["memory"] = int(pool.memory_gb * 2**30)
        assert self._args is not None
        actor = ray.remote(_Actor).options(**options).remote(*self._args)
        return actor, actor.node.remote()

    def _sizes(self, pools: Sequence[Pool]) -> list[int]:
        """Processes per pool. On our own Ray they hold no cores: they are as many as we say."""
        there = ray.cluster_resources()
        memory_gb = there.get("memory", float("inf")) / 2**30
        left = there.get("GPU", 0) - self.held_gpus
        counts = sizes(pools, Resources(there.get("CPU", 1), left, memory_gb), self._actors)
        gpus = sum(pool.gpus * count for pool, count in zip(pools, counts, strict=True))
        if self._own and gpus > left + 1e-9:
            raise RunError(f"The job wants {gpus:g} GPUs, and this machine has {left:g}.")
        return counts

    def _init(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        local: dict[str, Any] = {}
        if self._address == "local":
            local = {"include_dashboard": False, "object_store_memory": 100 * 2**20}
            self._own = True
        else:
            _knock(self._address)
        self._joined = True
        with _own_sigterm():
            try:
                ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR, **local)
            except (ConnectionError, ValueError) as error:
                raise RunError(f"There is no Ray cluster at {self._address}.") from error


def _knock(address: str) -> None:
    """RunError if nobody answers at `host:port`: Ray itself would try for a quarter of an hour."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in address:
        return
    try:
        socket.create_connection((host, int(port)), timeout=10.0).close()
    except (OSError, OverflowError) as error:
        raise RunError(f"There is no Ray cluster at {address}.") from error


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep the caller's answer to SIGTERM: Ray puts its own in place, which ends the process at once."""
    ours = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ours)


def _cause(error: ray.exceptions.RayError) -> str:
    """Why a task was lost, without the ids, hosts and processes that Ray tells of."""
    if isinstance(error, ray.exceptions.RayTaskError):
        cause = getattr(error, "cause", None)
        return f"{type(cause).__name__}: {cause}" if cause else "the task failed"
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return "the worker ran out of memory and was ended"
    if isinstance(error, ray.exceptions.RayActorError):
        return "the worker died"
    return f"the worker was lost: {type(error).__name__}"
