"""How pools follow their queues: who gets a process more, and who gives one up for it.

A pool grows at once into what is free. It takes from another only what that one does not need, or has
beyond its fair part, and not before it has waited: a process that is ended has loaded its models in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.engine.base import Backlog
from pipeline.engine.pools import Node, claim, fits, room, shares
from pipeline.pool import Pool

HASTE_S = 10.0
"""How long a pool without any process waits before others make way: starting one takes a few seconds."""
PATIENCE_S = 30.0
"""How long one that has some waits, and how long a process is idle before it is given up."""
MOST_PENDING = 32
"""Processes a pool asks for beyond what there is: whoever brings nodes up goes by what is asked for."""


@dataclass(frozen=True, slots=True)
class State:
    """Of a pool. `alive`: processes that take tasks; `pending`: asked for, not there yet; `leaving`: they
    take no more tasks and end with those they have."""

    pool: Pool
    backlog: Backlog
    alive: int = 0
    pending: int = 0
    leaving: int = 0
    running: int = 0
    idle: int = 0
    long_idle: int = 0
    waited_s: float = 0.0

    @property
    def slots(self) -> int:
        """Processes it has or will have."""
        return self.alive + self.pending

    @property
    def useful(self) -> int:
        """Processes that could be at work now, within its bounds."""
        low, high = self.pool.bounds
        busy = self.backlog.ready + self.running
        return max(low, busy if high is None else min(high, busy))

    @property
    def lasting(self) -> int:
        """The same, were all ready that waits for other pools still."""
        low, high = self.pool.bounds
        return max(low, self.backlog.left if high is None else min(high, self.backlog.left))


@dataclass(slots=True)
class Move:
    """What changes in a pool: processes to ask for, those asked for to take back, those alive to give up.

    `busy`: of those to give up, how many may be at work; they finish what they have. `wanted`: how many it
    would have now if others made way.
    """

    wanted: int = 0
    spawn: int = 0
    cancel: int = 0
    retire: int = 0
    busy: int = 0


def moves(states: Sequence[State], nodes: Sequence[Node], *, placed: bool) -> list[Move]:
    """What each pool does now.

    `placed`: a process asked for waits until somebody has room for it (Ray on a cluster); otherwise it
    starts whatever else runs, and so must not be asked for before there is room.
    """
    pools = [s.pool for s in states]
    mine = shares(pools, nodes, [s.useful for s in states])
    wanted = [_wanted(s, share) for s, share in zip(states, mine, strict=True)]
    found = [Move(count) for count in wanted]
    for i, state in enumerate(states):
        found[i].spawn = max(0, wanted[i] - state.slots)
        if not placed:
            found[i].spawn = min(found[i].spawn, max(_room(state, states, nodes), 1 - state.slots))
    hungry = [
        i
        for i, s in enumerate(states)
        if s.alive < wanted[i] and s.backlog.ready and any(fits(s.pool, n) for n in nodes)
    ]
    if hungry:
        fair = shares(pools, nodes, [s.lasting for s in states])
        for i in hungry:
            _feed(i, states, nodes, wanted, fair, found)
    elif placed:
        for i, state in enumerate(states):
            found[i].spawn += _beyond(state, found[i])
            found[i].retire = _surplus(state)
    return found


def _wanted(state: State, share: int) -> int:
    """Its share; at least one while it has work, which may have to wait, and what it must have."""
    return max(state.pool.bounds[0], share, min(1, state.useful))


def _room(state: State, states: Sequence[State], nodes: Sequence[Node]) -> int:
    low = state.pool.bounds[0]
    return max(low - state.slots, room(state.pool, nodes, [(s.pool, s.slots + s.leaving) for s in states]))


def _feed(
    hungry: int,
    states: Sequence[State],
    nodes: Sequence[Node],
    wanted: Sequence[int],
    fair: Sequence[int],
    found: list[Move],
) -> None:
    """Have others make way: what they only asked for, then what is idle, then what is beyond their part."""
    me = states[hungry]
    short = wanted[hungry] - me.alive - sum(s.leaving for s in states)
    for i, other in enumerate(states):
        if i == hungry or not _compete(me.pool, other.pool, nodes):
            continue
        move = found[i]
        move.cancel = max(move.cancel, min(other.pending, other.slots - wanted[i]))
        free = other.alive - move.retire - other.pool.bounds[0]
        if me.waited_s < (PATIENCE_S if me.alive else HASTE_S):
            continue
        idle = other.long_idle if me.alive else other.idle
        gone = max(0, min(short, free, idle - move.retire))
        if me.alive < max(1, fair[hungry]):
            keep = max(other.pool.bounds[0], fair[i], min(1, other.useful))
            busy = max(0, min(short - gone, other.alive - move.retire - gone - keep))
            move.busy += busy
            gone += busy
        move.retire += gone
        short -= gone


def _compete(one: Pool, other: Pool, nodes: Sequence[Node]) -> bool:
    """Whether what one holds could be the other's."""
    return not claim(one).keys().isdisjoint(claim(other)) and any(
        fits(one, n) and fits(other, n) for n in nodes
    )


def _beyond(state: State, move: Move) -> int:
    """How many it asks for that no node has room for yet: at most as many as it has."""
    if state.pending or move.spawn or not state.backlog.ready:
        return 0
    high = state.pool.bounds[1]
    busy = state.backlog.ready + state.running
    most = busy if high is None else min(high, busy)
    return max(0, min(most - state.slots, max(1, state.alive), MOST_PENDING))


def _surplus(state: State) -> int:
    """Idle ones that nothing is left for, and that may keep a rented node from being given back."""
    keep = max(state.pool.bounds[0], state.backlog.left)
    return max(0, min(state.long_idle, state.alive - keep))
