"""Pools grow into what is free, take from others what those can spare, and never block each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.base import Backlog
from pipeline.engine.elastic import HASTE_S, MOST_PENDING, PATIENCE_S, State, moves
from pipeline.engine.pools import CPU, GPU, Node
from pipeline.pool import Pool

LONG = PATIENCE_S + 1


def machine(cpus: float, gpus: float = 0.0) -> Node:
    return Node({CPU: cpus, GPU: gpus})


def state(pool: Pool, ready: int, alive: int = 0, *, running: int | None = None, **more: float) -> State:
    busy = min(alive, ready) if running is None else running
    numbers = {"left": ready + busy, "idle": max(0, alive - busy), **more}
    backlog = Backlog(ready, int(numbers.pop("left")))
    return State(pool, backlog, alive=alive, running=busy, **numbers)  # type: ignore[arg-type]


def test_processes_are_asked_for_as_work_waits_and_not_beyond_it() -> None:
    assert moves([state(Pool(), 3)], [machine(8)], placed=False)[0].spawn == 3
    assert moves([state(Pool(), 30)], [machine(8)], placed=False)[0].spawn == 8
    assert moves([state(Pool(), 0)], [machine(8)], placed=False)[0].spawn == 0


@pytest.mark.parametrize(
    ("pool", "ready", "spawned"),
    [
        (Pool(actors=3), 0, 3),
        (Pool(actors=3), 100, 3),
        (Pool(min_actors=2), 0, 2),
        (Pool(min_actors=2, max_actors=4), 100, 4),
        (Pool(actors=12), 1, 12),
    ],
)
def test_a_pool_keeps_its_bounds(pool: Pool, ready: int, spawned: int) -> None:
    assert moves([state(pool, ready)], [machine(8)], placed=False)[0].spawn == spawned


def test_a_node_that_joins_is_grown_into() -> None:
    full = state(Pool(), 100, alive=8)
    assert moves([full], [machine(8)], placed=False)[0].spawn == 0
    assert moves([full], [machine(8), machine(4)], placed=False)[0].spawn == 4


def test_on_a_cluster_more_is_asked_for_than_there_is_so_that_nodes_come() -> None:
    assert moves([state(Pool(), 100, alive=8)], [machine(8)], placed=True)[0].spawn == 8
    assert moves([state(Pool(), 9, alive=8)], [machine(8)], placed=True)[0].spawn == 8
    assert moves([state(Pool(), 1000, alive=99)], [machine(99)], placed=True)[0].spawn == MOST_PENDING
    assert moves([state(Pool(max_actors=8), 100, alive=8)], [machine(8)], placed=True)[0].spawn == 0
    assert moves([state(Pool(), 100, alive=8, pending=1)], [machine(8)], placed=True)[0].spawn == 0
    assert moves([state(Pool("gpu", gpus=1), 9)], [machine(0)], placed=True)[0].spawn == 1


def test_a_pool_without_a_process_gets_one_of_those_that_have_more_than_their_part() -> None:
    cpu, gpu = Pool("cpu"), Pool("gpu", gpus=1)
    states = [state(cpu, 100, alive=8), state(gpu, 5, pending=1, waited_s=HASTE_S + 1)]
    nodes = [machine(8, 1)]
    taken = moves(states, nodes, placed=True)[0]
    assert (taken.retire, taken.busy) == (1, 1)
    starting = [states[0], state(gpu, 5, pending=1, waited_s=1.0)]
    assert moves(starting, nodes, placed=True)[0].retire == 0


def test_a_pool_that_has_run_dry_makes_way() -> None:
    a, b = Pool("a"), Pool("b")
    dry = state(a, 0, alive=4, left=50, long_idle=4)
    waits = state(b, 100, alive=4, pending=1, waited_s=LONG)
    assert [m.retire for m in moves([dry, waits], [machine(8)], placed=True)] == [4, 0]
    lately = state(a, 0, alive=4, left=50, long_idle=0)
    assert moves([lately, waits], [machine(8)], placed=True)[0].retire == 0


def test_what_was_only_asked_for_is_taken_back_before_anything_is_ended() -> None:
    a, b = Pool("a"), Pool("b")
    greedy = state(a, 100, alive=7, pending=7)
    waits = state(b, 3, alive=1, pending=0, waited_s=1.0)
    first = moves([greedy, waits], [machine(8)], placed=True)[0]
    assert (first.cancel, first.retire, first.spawn) == (7, 0, 0)


def test_idle_processes_nothing_is_left_for_let_go_of_their_nodes() -> None:
    ending = state(Pool(), 0, alive=8, running=2, left=2, idle=6, long_idle=6)
    assert moves([ending], [machine(8)], placed=True)[0].retire == 6
    assert moves([ending], [machine(8)], placed=False)[0].retire == 0
    kept = state(Pool(min_actors=5), 0, alive=8, running=2, left=2, idle=6, long_idle=6)
    assert moves([kept], [machine(8)], placed=True)[0].retire == 3


@dataclass
class Simulated:
    """Pools on a machine where a process takes a second for a task; the second pool is fed by the first."""

    pools: list[Pool]
    cores: int
    placed: bool
    ready: list[int]
    done: int = 0
    alive: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    since: list[float | None] = field(default_factory=list)
    idle_for: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = len(self.pools)
        self.alive, self.pending, self.since, self.idle_for = [0] * n, [0] * n, [None] * n, [0.0] * n

    def free(self) -> float:
        held = sum(p.cpus * n for p, n in zip(self.pools, self.alive, strict=True))
        return self.cores - held

    def step(self, second: float) -> None:
        for i, pool in enumerate(self.pools):
            while self.pending[i] and (not self.placed or self.free() >= pool.cpus - 1e-9):
                self.pending[i] -= 1
                self.alive[i] += 1
        worked = [min(n, r) for n, r in zip(self.alive, self.ready, strict=True)]
        for i, count in enumerate(worked):
            self.ready[i] -= count
            self.idle_for[i] = 0.0 if count == self.alive[i] else self.idle_for[i] + 1
            if i + 1 < len(worked):
                self.ready[i + 1] += count
            else:
                self.done += count
        states = [self.state(i, worked[i], second) for i in range(len(self.pools))]
        for i, move in enumerate(moves(states, [machine(self.cores)], placed=self.placed)):
            self.alive[i] -= min(self.alive[i], move.retire)
            self.pending[i] += move.spawn - move.cancel
            short = self.alive[i] < move.wanted and self.ready[i]
            self.since[i] = None if not short else second if self.since[i] is None else self.since[i]

    def state(self, i: int, worked: int, second: float) -> State:
        since = self.since[i]
        idle = self.alive[i] - min(self.alive[i], self.ready[i])
        return State(
            self.pools[i],
            Backlog(self.ready[i], sum(self.ready[: i + 1])),
            alive=self.alive[i],
            pending=self.pending[i],
            idle=idle,
            long_idle=idle if self.idle_for[i] > PATIENCE_S else 0,
            waited_s=0.0 if since is None else second - since,
        )


@given(
    st.lists(st.floats(0.5, 2.0), min_size=1, max_size=3),
    st.integers(2, 6),
    st.booleans(),
    st.integers(1, 60),
)
def test_all_work_is_done_whatever_the_pools_and_nothing_is_held_twice(
    cpus: list[float], cores: int, placed: bool, shards: int
) -> None:
    pools = [Pool(f"p{i}", cpus=c) for i, c in enumerate(cpus)]
    simulated = Simulated(pools, cores, placed, [shards] + [0] * (len(pools) - 1))
    for second in range(60 * len(pools) + 2 * shards * len(pools)):
        simulated.step(float(second))
        if placed:
            assert simulated.free() >= -1e-6
        if simulated.done == shards:
            return
    raise AssertionError(f"{simulated.done} of {shards} done: {simulated}")
