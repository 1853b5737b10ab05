"""Ray Core actors in pools that follow their queues. A dead actor's tasks go back to the driver.

Two tasks are queued per actor while there is plenty: one is annotated, the next is on its way. An actor
that is not up holds none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty
from typing import Any

import ray
import ray.exceptions

from pipeline.engine.base import Backlog, Done, Lost, Tell
from pipeline.engine.pools import local_gpus, require_gpus
from pipeline.engine.ray_actor import Actor
from pipeline.engine.ray_cluster import Health, RayCluster
from pipeline.engine.ray_pools import TICK_S, RayPools, went_with_node
from pipeline.engine.ray_slot import Slot, away
from pipeline.engine.worker import Task
from pipeline.errors import LoadError, ShardError, UsageError
from pipeline.job import Job
from pipeline.pool import Pool
from pipeline.storage import Store

log = logging.getLogger(__name__)

QUEUED_PER_ACTOR = 2
DEATH_S = 60.0
"""How long Ray may take to tell that a task of a dead actor is lost."""
DOUBT_S = 5.0
"""How long a node must outlive an actor for its death to be the actor's own."""
LOST_S = 120.0
"""How long a node may be unreachable before it counts as lost."""


class Hung(ray.exceptions.RayError):  # type: ignore[misc]
    """An actor gave no sign of life in time."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A task whose actor is dead, where it is not known yet whether its node is too."""

    task: Task
    node: str
    reason: str
    since: float


class RayEngine:
    """Pools of actors on a local or a running Ray cluster.

    `address=None` starts a Ray of our own on this machine. `actors`: so many in every pool. `runtime_env`:
    what a run brings with it to a running cluster. `say`: who is told, in a sentence, what a person should
    know.
    """

    def __init__(
        self,
        address: str | None = None,
        actors: int | None = None,
        *,
        runtime_env: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = log.warning,
    ) -> None:
        self._cluster = RayCluster(address or "local", runtime_env)
        self._pools = RayPools(self._cluster, say)
        self._actors = actors
        self._doubts: list[_Doubt] = []
        self._place: tuple[Any, ...] = ()

    @property
    def held_gpus(self) -> float:
        """GPUs that no pool may take."""
        return self._pools.held_gpus

    @held_gpus.setter
    def held_gpus(self, gpus: float) -> None:
        self._pools.held_gpus = gpus

    def start(self, job: Job, store: Store) -> None:
        """Bring Ray up, or join it; actors of an earlier job on the same store go on."""
        if self._cluster.own:
            require_gpus(job, local_gpus() - self.held_gpus)
        self.connect()
        place = (store.url, job.pools, job.limits)
        args = (ray.put(job), ray.put(store))
        if place == self._place and not any(slot.tasks for slot in self._pools.slots):
            self._pools.again(args)
            return
        self._doubts.clear()
        self._pools.start([self._sized(pool) for pool in job.pools], Actor, args)
        self._place = place

    def follow(self, backlogs: Mapping[str, Backlog]) -> None:
        """Have pools grow and shrink by what waits for them."""
        self._pools.follow(backlogs)

    def room(self, pool: str) -> int:
        """Free places in the queues of the pool's actors.

        Of the last tasks none is queued behind another: it would wait while somebody else is idle.
        """
        slots = self._pools.open(pool)
        plenty = self._pools.ready(pool) > QUEUED_PER_ACTOR * len(slots)
        places = QUEUED_PER_ACTOR if plenty else 1
        return sum(max(0, places - len(slot.tasks)) for slot in slots)

    def submit(self, pool: str, task: Task) -> None:
        """Give the task to the pool's least busy actor."""
        min(self._pools.open(pool), key=lambda slot: len(slot.tasks)).submit(task)

    def wait(self, tell: Tell) -> Sequence[Done | Lost]:
        """What ended within a second."""
        ended = [*self._silenced(), *self._settled()]
        events = self._pools.events
        with suppress(Empty):
            ended += self._took(*(events.get_nowait() if ended else events.get(timeout=TICK_S)))
            while True:
                ended += self._took(*events.get_nowait())
        tell(away(self._pools.slots))
        return ended

    def stop(self) -> None:
        """Kill the actors, and leave or end the Ray that was joined or brought up."""
        self.dismiss()
        self._cluster.leave()

    def connect(self) -> None:
        """Bring Ray up, or join it; nothing where that is done."""
        self._cluster.connect()

    def gpus(self) -> float:
        """The GPUs of the Ray it is connected to."""
        return self._cluster.gpus()

    def local_host(self) -> str | None:
        """Where the actors of a Ray of our own reach each other; none: at the address of their node."""
        return "127.0.0.1" if self._cluster.own else None

    def dismiss(self) -> None:
        """Kill the actors; Ray stays."""
        self._pools.dismiss()
        self._doubts.clear()
        self._place = ()

    def _sized(self, pool: Pool) -> Pool:
        """With the number given for all; on one machine without what tells nodes apart."""
        if self._actors is not None:
            pool = replace(pool, actors=self._actors, min_actors=0, max_actors=None)
        return replace(pool, labels={}, resources={}) if self._cluster.own else pool

    def _took(self, slot: Slot, ref: Any) -> list[Done | Lost]:
        """What an event means: a task ended, an actor is up, or it gave a sign."""
        if slot.gone:
            return []
        if ref in slot.tasks:
            return self._landed(slot, ref)
        future = slot.answer(ref)
        error = future.exception()
        if not slot.up and error:
            self._pools.false_start(slot, error)
        elif not slot.up:
            self._pools.up(slot, *future.result())
        elif not error:  # else the task it works on will tell
            slot.patience_s, slot.away = future.result()
        return []

    def _landed(self, slot: Slot, ref: Any) -> list[Done | Lost]:
        """What became of a task, and with it of all others of an actor that is dead."""
        try:
            ended = [_book(*slot.tasks[ref])]
        except ray.exceptions.RayError as error:
            return self._bury(slot, error)
        slot.forget(ref)
        if slot.leaving and not slot.tasks:
            self._pools.end(slot)
        return ended

    def _bury(self, slot: Slot, error: ray.exceptions.RayError, wait_s: float = DEATH_S) -> list[Done | Lost]:
        """The tasks of a dead actor, in the order it worked in: the first unfinished one killed it, if begun.

        All at once: the deaths of the task at work and of the one behind it may be seen in either order.
        """
        log.warning("an actor of pool %s is dead: %s", slot.pool.name, error)
        self._pools.end(slot)  # Ray may only have lost sight of it
        blameless = went_with_node(error) or not slot.begun
        certain = blameless or self._cluster.own or isinstance(error, Hung)
        ended: list[Done | Lost] = []
        for task, future in slot.tasks.values():
            try:
                ended.append(_book(task, future, wait_s))
            except (ray.exceptions.RayError, TimeoutError) as death:
                reason = _cause(death if isinstance(death, ray.exceptions.RayError) else error)
                if certain or blameless:
                    ended.append(Lost(task, reason, blameless))
                else:
                    self._doubts.append(_Doubt(task, slot.node, reason, time.monotonic()))
                blameless = True
        return ended

    def _silenced(self) -> list[Done | Lost]:
        """The tasks of actors that give no sign of life."""
        silent = [slot for slot in self._pools.slots if slot.silent()]
        return [lost for slot in silent for lost in self._bury(slot, Hung("no sign of life"), 0.0)]

    def _settled(self) -> list[Done | Lost]:
        """Tasks of which is known by now whether their node died with their actor."""
        ended: list[Done | Lost] = []
        health = {node: self._cluster.health(node) for node in {doubt.node for doubt in self._doubts}}
        for doubt in list(self._doubts):
            known, waited_s = health[doubt.node], time.monotonic() - doubt.since
            lost = known is Health.DEAD or (known is Health.UNKNOWN and waited_s > LOST_S)
            if lost or (known is Health.ALIVE and waited_s > DOUBT_S):
                self._doubts.remove(doubt)
                ended.append(Lost(doubt.task, doubt.reason, blameless=lost))
        return ended


def _book(task: Task, future: Future[Any], wait_s: float = DEATH_S) -> Done | Lost:
    """The end of a task whose actor lives on. Raises RayError, or TimeoutError, if it does not."""
    try:
        report = future.result(timeout=wait_s)
    except ray.exceptions.RayTaskError as error:
        report = ShardError(_cause(error))
    if isinstance(report, UsageError):
        raise report
    if isinstance(report, ShardError):
        return Lost(task, str(report), unloadable=isinstance(report, LoadError))
    return Done(task, report)


def _cause(error: ray.exceptions.RayError) -> str:
    """Why a task was lost, without the ids, hosts and processes that Ray tells of."""
    if isinstance(error, ray.exceptions.RayTaskError):
        cause = getattr(error, "cause", None)
        return f"{type(cause).__name__}: {cause}" if cause else "the task failed"
    if isinstance(error, Hung):
        return "the worker gave no sign of life for longer than it may"
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return "the worker ran out of memory and was ended"
    if isinstance(error, ray.exceptions.RayActorError):
        return "the worker died"
    return f"the worker was lost: {type(error).__name__}"
