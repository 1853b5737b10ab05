"""What each pool may have of what there is, and what is said where there is no GPU."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from pathlib import Path

from pipeline.errors import RunError
from pipeline.job import Job
from pipeline.pool import Pool

CPU, GPU, MEMORY = "CPU", "GPU", "memory"
"""As Ray names them; memory in bytes."""
_SLACK = 1e-9  # 0.3 - 3 * 0.1 is a little under 0


@dataclass(frozen=True, slots=True)
class Node:
    """A machine, or all of them as one: what it has in all, and its labels."""

    resources: Mapping[str, float]
    labels: Mapping[str, str] = field(default_factory=dict)


def claim(pool: Pool) -> dict[str, float]:
    """What each process of the pool takes."""
    asked = {CPU: pool.cpus, GPU: pool.gpus, MEMORY: pool.memory_gb * 2**30}
    return {name: amount for name, amount in asked.items() if amount} | {
        name: float(str(amount)) for name, amount in pool.resources.items()
    }


def fits(pool: Pool, node: Node) -> bool:
    """Whether a process of the pool has room on the node while nothing else runs there."""
    return _selected(pool, node) and all(
        node.resources.get(name, 0.0) >= amount - _SLACK for name, amount in claim(pool).items()
    )


def shares(pools: Sequence[Pool], nodes: Sequence[Node], needs: Sequence[int]) -> list[int]:
    """Processes per pool, at most what it needs: the next one always goes to whom has the smallest part.

    A pool's part is that of the resource it takes most of, among those another pool takes too: dominant
    resource fairness (Ghodsi et al., NSDI 2011), were GPUs nobody else wants not to count against it. Of
    equals one with GPUs comes first.
    """
    free = [dict(node.resources) for node in nodes]
    takes = [claim(pool) or {CPU: 1.0} for pool in pools]
    places = [_places(pool, nodes) for pool in pools]
    parts = [_part(take, [t for t in takes if t is not take], nodes) for take in takes]
    counts = [0] * len(pools)
    waiting = [(0.0, not pool.gpus, i) for i, pool in enumerate(pools) if needs[i]]
    heapify(waiting)
    while waiting:
        _, rank, i = heappop(waiting)
        while places[i] and not _holds(free[places[i][-1]], takes[i]):
            places[i].pop()  # nodes only get fuller
        if not places[i]:
            continue
        _take(free[places[i][-1]], takes[i])
        counts[i] += 1
        if counts[i] < needs[i]:
            heappush(waiting, (counts[i] * parts[i], rank, i))
    return counts


def room(pool: Pool, nodes: Sequence[Node], held: Sequence[tuple[Pool, int]]) -> int:
    """How many more processes of the pool fit on all nodes together, with those of `held` there."""
    take = claim(pool) or {CPU: 1.0}
    left = {name: sum(node.resources.get(name, 0.0) for node in nodes) for name in take}
    for other, count in held:
        for name, amount in (claim(other) or {CPU: 1.0}).items():
            left[name] = left.get(name, 0.0) - amount * count
    return max(0, int(min(left[name] / amount for name, amount in take.items()) + _SLACK))


def local_gpus() -> int:
    """NVIDIA GPUs of this machine, without loading anything that drives them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def least_gpus(pools: Sequence[Pool]) -> float:
    """GPUs without which some pool waits for ever: what all keep, and a process of one that keeps none."""
    kept = sum(pool.gpus * pool.bounds[0] for pool in pools)
    return kept + max((pool.gpus for pool in pools if not pool.bounds[0]), default=0.0)


def require_gpus(job: Job, there: float) -> None:
    """RunError that names a pool asking for more GPUs a process than there are, and what runs in it."""
    for pool in job.pools:
        if pool.gpus * max(1, pool.bounds[0]) > there + _SLACK:
            families = ", ".join(f for f in job.families if job.pool_of(f) == pool.name)
            have = "there is none" if there == 0 else f"there are {there:g}"
            count = f" of {pool.bounds[0]}" if pool.bounds[0] > 1 else ""
            raise RunError(
                f"The pool {pool.name!r} ({families}) asks for {pool.gpus:g} GPU a process{count} and {have}."
                " Run it where there is one, or add --cpu to run it on the processor, many times slower."
            )


def _places(pool: Pool, nodes: Sequence[Node]) -> list[int]:
    """The nodes it may run on, the best last: those with GPUs are for pools that want them, as Ray has it."""
    chosen = [i for i, node in enumerate(nodes) if _selected(pool, node)]
    return sorted(chosen, key=lambda i: (not pool.gpus and nodes[i].resources.get(GPU, 0.0) > 0, i))[::-1]


def _part(take: Mapping[str, float], others: Sequence[Mapping[str, float]], nodes: Sequence[Node]) -> float:
    shared = {name for name in take if any(name in other for other in others)}
    total = {name: sum(node.resources.get(name, 0.0) for node in nodes) for name in shared}
    return max((take[name] / total[name] for name in shared if total[name]), default=0.0)


def _holds(free: Mapping[str, float], take: Mapping[str, float]) -> bool:
    return all(free.get(name, 0.0) >= amount - _SLACK for name, amount in take.items())


def _take(free: dict[str, float], take: Mapping[str, float]) -> None:
    for name, amount in take.items():
        free[name] -= amount


def _selected(pool: Pool, node: Node) -> bool:
    return all(_meets(node.labels.get(key), str(wanted)) for key, wanted in pool.labels.items())


def _meets(label: str | None, wanted: str) -> bool:
    """Ray's selectors: `spot`, `!spot`, `in(a, b)`, `!in(a, b)`; no label meets those with an !."""
    values = re.fullmatch(r"in\((.*)\)", wanted.removeprefix("!"))
    listed = [v.strip() for v in values[1].split(",")] if values else [wanted.removeprefix("!")]
    return (label in listed) != wanted.startswith("!")
