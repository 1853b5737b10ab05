"""How many processes each pool gets, from what there is; and what is said where there is too little."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UsageError
from pipeline.job import Job, Pool


def local_gpus() -> int:
    """NVIDIA GPUs of this machine, without loading anything that drives them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def counts(job: Job, cpus: float, gpus: float, actors: int | None = None) -> dict[str, int]:
    """Processes per pool: as asked for, else as many as fit; pools with GPUs are served first.

    `actors` stands for every pool that does not say. A pool never gets less than one process: a pool
    without any would wait for ever. Raises UsageError where a pool asks for a GPU and there is none.
    """
    found: dict[str, int] = {}
    left = cpus
    for pool in sorted(job.pools, key=lambda p: -p.gpus):
        if pool.gpus > gpus:
            raise UsageError(_no_gpu(job, pool, gpus))
        fit = left / max(pool.cpus, 1e-9)
        if pool.gpus:
            fit = gpus / pool.gpus
        found[pool.name] = pool.actors or actors or max(1, int(fit))
        left -= found[pool.name] * pool.cpus
    return found


def cpus_for(job: Job, found: dict[str, int]) -> float:
    """The cores that so many processes claim."""
    return sum(found[pool.name] * pool.cpus for pool in job.pools)


def _no_gpu(job: Job, pool: Pool, gpus: float) -> str:
    families = ", ".join(f for f in job.families if job.pool_of(f) == pool.name)
    there = "there is none" if gpus == 0 else f"there are {gpus:g}"
    return (
        f"The pool {pool.name!r} ({families}) asks for {pool.gpus:g} GPU a process and {there}. "
        "Run it where there is one, or add --cpu to run it on the processor, many times slower."
    )
