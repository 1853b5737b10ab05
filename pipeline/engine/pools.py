"""How many processes each pool gets of what there is, and what is said where there is no GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RunError
from pipeline.job import Job, Pool


@dataclass(frozen=True, slots=True)
class Resources:
    """Of a machine or a cluster."""

    cpus: float
    gpus: float = 0.0
    memory_gb: float = float("inf")


def sizes(pools: Sequence[Pool], have: Resources, asked: int | None = None) -> list[int]:
    """Processes per pool: as many as asked for, else its part of what there is, at least one.

    A pool keeps its processes to the end. Were each given the whole machine, all but the first would
    wait for ever. Pools with GPUs come first; the others share the cores they leave.
    """
    found = {p.name: asked or p.actors for p in pools}
    for with_gpus in (True, False):
        unsized = [p for p in pools if found[p.name] is None]
        left = _left(have, [(p, found[p.name] or 0) for p in pools])
        group = [p for p in unsized if bool(p.gpus) == with_gpus]
        for pool in group:
            found[pool.name] = _part(pool, left, len(unsized), len(group))
    return [found[p.name] or 1 for p in pools]


def _left(have: Resources, taken: Sequence[tuple[Pool, int]]) -> Resources:
    return Resources(
        have.cpus - sum(p.cpus * n for p, n in taken),
        have.gpus - sum(p.gpus * n for p, n in taken),
        have.memory_gb - sum(p.memory_gb * n for p, n in taken),
    )


def _part(pool: Pool, left: Resources, among: int, among_gpus: int) -> int:
    fitting = [
        left.cpus / among / (pool.cpus or 1.0),
        left.gpus / among_gpus / pool.gpus if pool.gpus else float("inf"),
        left.memory_gb / among / pool.memory_gb if pool.memory_gb else float("inf"),
    ]
    return max(1, int(min(fitting) + 1e-9))  # 0.3 / 0.1 is a little under 3


def local_gpus() -> int:
    """NVIDIA GPUs of this machine, without loading anything that drives them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def require_gpus(job: Job, there: float) -> None:
    """RunError that names a pool asking for more GPUs a process than there are, and what runs in it."""
    for pool in job.pools:
        if pool.gpus > there:
            families = ", ".join(f for f in job.families if job.pool_of(f) == pool.name)
            have = "there is none" if there == 0 else f"there are {there:g}"
            raise RunError(
                f"The pool {pool.name!r} ({families}) asks for {pool.gpus:g} GPU a process and {have}. "
                "Run it where there is one, or add --cpu to run it on the processor, many times slower."
            )
