"""The actors of every pool: asked for, up, given up. How many, `elastic` decides."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

import ray
import ray.exceptions

from pipeline.engine import elastic
from pipeline.engine.base import Backlog
from pipeline.engine.elastic import Move, State
from pipeline.engine.pools import CPU, GPU, Node, claim, fits, least_gpus
from pipeline.engine.ray_actor import Actor, options
from pipeline.engine.ray_cluster import RayCluster
from pipeline.engine.ray_slot import Events, Slot
from pipeline.errors import RunError
from pipeline.pool import Pool

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How often pools and nodes are looked at."""
MAX_FALSE_STARTS = 5
"""Actors of a pool in a row that died before they were up."""
SAY_S = 60.0
"""How long a pool may be without any actor before it is said; again after ten times as long."""


@dataclass(slots=True)
class _Known:
    """What is remembered of a pool between two looks."""

    pool: Pool
    backlog: Backlog
    false_starts: int = 0
    short_since: float | None = None
    say_after_s: float = SAY_S


class RayPools:
    """Actors in pools that follow their queues. `say`: who is told what a person should know."""

    def __init__(self, cluster: RayCluster, say: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._say = say
        self.slots: list[Slot] = []
        self.events: Events = SimpleQueue()
        self.held_gpus = 0.0
        self._pools: dict[str, _Known] = {}
        self._args: Sequence[Any] = ()
        self._kind: Any = None
        self._nodes: Sequence[Node] = ()
        self._looked_at = 0.0

    def start(self, pools: Sequence[Pool], kind: type[Actor], args: Sequence[Any]) -> None:
        """Other pools from now on; nobody is asked for before it is known what waits.

        RunError where pools of our own Ray must have more GPUs than there are: they would wait for ever.
        """
        self.dismiss()
        self._args, self._nodes = args, ()
        self._kind = ray.remote(concurrency_groups={"signs": 1})(kind)
        self._pools = {pool.name: _Known(pool, Backlog(0, 0)) for pool in pools}
        wanted = least_gpus(pools)
        left = self._cluster.gpus() - self.held_gpus
        if self._cluster.own and wanted > left + 1e-9:
            raise RunError(f"The job wants {wanted:g} GPUs, and this machine has {left:g}.")

    def again(self, args: Sequence[Any]) -> None:
        """The same pools for another job."""
        self._args = args
        for slot in self.slots:
            slot.actor.take.remote(args[0])

    def follow(self, backlogs: Mapping[str, Backlog]) -> None:
        """Grow and shrink, about once a second; at once where an actor has ended."""
        for name, known in self._pools.items():
            known.backlog = backlogs.get(name, Backlog(0, 0))
        if time.monotonic() - self._looked_at > TICK_S:
            self._look()

    def open(self, pool: str) -> list[Slot]:
        """The actors of the pool that take tasks."""
        return [slot for slot in self.slots if slot.open and slot.pool.name == pool]

    def ready(self, pool: str) -> int:
        """Tasks that wait for the pool."""
        return self._pools[pool].backlog.ready

    def up(self, slot: Slot, node: str, patience_s: float) -> None:
        """An actor can take tasks."""
        slot.up, slot.node, slot.patience_s = True, node, patience_s
        self._pools[slot.pool.name].false_starts = 0

    def false_start(self, slot: Slot, error: BaseException) -> None:
        """An actor died before it was up. RunError where that goes on and on, and not with lost nodes."""
        log.warning("an actor of pool %s did not come up: %s", slot.pool.name, error)
        self.end(slot)
        if went_with_node(error):
            return
        known = self._pools[slot.pool.name]
        known.false_starts += 1
        if known.false_starts >= MAX_FALSE_STARTS or isinstance(error, ray.exceptions.RuntimeEnvSetupError):
            why = " ".join(str(error).split()) or type(error).__name__
            raise RunError(f"The workers of pool {slot.pool.name!r} do not start: {why:.500}") from error

    def end(self, slot: Slot) -> None:
        """End an actor at once."""
        self.slots.remove(slot)
        slot.kill()
        self._looked_at = 0.0  # its place can be taken

    def let_go(self, slot: Slot) -> None:
        """No more tasks for an actor; it ends with those it has."""
        slot.leaving = True
        if not slot.tasks:
            self.end(slot)

    def dismiss(self) -> None:
        """End all at once."""
        for slot in self.slots:
            slot.kill()
        self.slots.clear()
        self.events = SimpleQueue()
        self._looked_at = 0.0

    def _look(self) -> None:
        self._nodes = self._nodes_now()
        states = [self._state(known) for known in self._pools.values()]
        found = elastic.moves(states, self._nodes, placed=not self._cluster.own)
        for known, state, move in zip(self._pools.values(), states, found, strict=True):
            self._note_shortage(known, state.alive, move.wanted)
            self._move(known.pool, move)
        self._looked_at = time.monotonic()

    def _nodes_now(self) -> Sequence[Node]:
        """What there is to run on. Who runs where nothing will run any more gets no more tasks."""
        if self._cluster.own:
            return self._nodes or [without_gpus([self._cluster.machine()], self.held_gpus)[0]]
        machines = self._cluster.machines()
        here = {machine.id for machine in machines}
        for slot in [slot for slot in self.slots if slot.open and slot.node not in here]:
            self.let_go(slot)
        return without_gpus([machine.node for machine in machines], self.held_gpus)

    def _state(self, known: _Known) -> State:
        slots = [slot for slot in self.slots if slot.pool.name == known.pool.name]
        alive = [slot for slot in slots if slot.open]
        return State(
            known.pool,
            known.backlog,
            alive=len(alive),
            pending=sum(not slot.up for slot in slots),
            leaving=sum(slot.leaving for slot in slots),
            running=sum(len(slot.tasks) for slot in slots),
            idle=sum(not slot.tasks for slot in alive),
            long_idle=sum(slot.idle_s() > elastic.PATIENCE_S for slot in alive),
            waited_s=0.0 if known.short_since is None else time.monotonic() - known.short_since,
        )

    def _note_shortage(self, known: _Known, alive: int, wanted: int) -> None:
        """Since when a pool has fewer actors than it should, and a word where it has none for long."""
        if alive >= wanted or not known.backlog.ready:
            known.short_since, known.say_after_s = None, SAY_S
            return
        known.short_since = known.short_since or time.monotonic()
        waited_s = time.monotonic() - known.short_since
        if not alive and waited_s > known.say_after_s:
            known.say_after_s *= 10
            self._say(_waiting(known.pool, self._nodes, waited_s))

    def _move(self, pool: Pool, move: Move) -> None:
        mine = [slot for slot in self.slots if slot.pool.name == pool.name]
        pending = [slot for slot in mine if not slot.up]
        for slot in pending[len(pending) - move.cancel :]:
            self.end(slot)
        alive = sorted((s for s in mine if s.open), key=lambda s: (len(s.tasks), -s.idle_s()))
        idle = sum(not slot.tasks for slot in alive)
        for slot in alive[: min(move.retire, idle + move.busy)]:
            self.let_go(slot)
        for _ in range(move.spawn):
            self._spawn(pool)

    def _spawn(self, pool: Pool) -> None:
        try:
            kind = self._kind.options(**options(pool, own=self._cluster.own))
        except ValueError as error:
            raise RunError(f"Ray cannot be asked for the pool {pool.name!r}: {error}") from error
        slot = Slot(pool, self.actor(kind), self.events)
        self.slots.append(slot)
        slot.begin()

    def actor(self, kind: Any) -> Any:
        """A new actor."""
        return kind.remote(*self._args)


def went_with_node(error: BaseException) -> bool:
    """Whether Ray says that an actor's node is lost; of some deaths it says so in words only."""
    named = isinstance(error, ray.exceptions.NodeDiedError) or getattr(error, "preempted", False)
    return named or (isinstance(error, ray.exceptions.RayActorError) and "its node has died" in str(error))


def without_gpus(nodes: Sequence[Node], held: float) -> list[Node]:
    """The nodes without the GPUs that others hold, taken from the last of them."""
    left = []
    for node in reversed(nodes):
        there = node.resources.get(GPU, 0.0)
        left.append(replace(node, resources={**node.resources, GPU: max(0.0, there - held)}))
        held -= min(held, there)
    return left[::-1]


def _waiting(pool: Pool, nodes: Sequence[Node], waited_s: float) -> str:
    amounts = {**claim(pool), "GB of memory": pool.memory_gb}
    asked = [f"{amounts[name]:g} {name}" for name in amounts if amounts[name] and name != "memory"]
    asked += [f"{key}={label}" for key, label in pool.labels.items()]
    why = "others hold" if any(fits(pool, node) for node in nodes) else "no node has"
    wants = ", ".join(asked) or f"1 {CPU}"
    return (
        f"The pool {pool.name!r} waits for {waited_s:.0f} s now: {why} what a process of it takes ({wants})."
    )
