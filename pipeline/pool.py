"""Pools: the kinds of processes that a job runs in, and which families run where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pipeline.errors import OptionError
from pipeline.options import Option, checked


@dataclass(frozen=True, slots=True)
class Pool:
    """A kind of process. `families=None`: every family no other pool names."""

    name: Annotated[str, Option("how the progress display names it")] = "cpu"
    cpus: Annotated[float, Option("cores of each process", low=0.0)] = 1.0
    gpus: Annotated[float, Option("GPUs of each process, or a share of one", low=0.0)] = 0.0
    memory_gb: Annotated[float, Option("memory of each process", "GB", low=0.0)] = 0.0
    actors: Annotated[int | None, Option("processes, neither more nor fewer", low=1)] = None
    min_actors: Annotated[int, Option("processes it keeps while it has nothing to do", low=0)] = 0
    max_actors: Annotated[int | None, Option("processes at most; none: as many as fit", low=1)] = None
    labels: Annotated[Mapping[str, object], Option("labels of the nodes it runs on, as Ray selects them")] = (
        field(default_factory=dict)
    )
    resources: Annotated[Mapping[str, object], Option("custom resources of each process")] = field(
        default_factory=dict
    )
    families: frozenset[str] | None = None

    @property
    def bounds(self) -> tuple[int, int | None]:
        """Processes at least and at most; none: as many as fit."""
        return (self.min_actors, self.max_actors) if self.actors is None else (self.actors, self.actors)


def checked_pools(pools: Sequence[Pool], families: Collection[str]) -> tuple[Pool, ...]:
    """The pools of a job that has these families; OptionError where they cannot be."""
    pools = tuple(checked("pool", pool) for pool in pools)
    named = [f for p in pools for f in p.families or ()]
    for family in named:
        if family not in families:
            raise OptionError(f"A pool names {family!r}, which the job does not have.")
    for pool in pools:
        _check_pool(pool)
    if sum(p.families is None for p in pools) != 1:
        raise OptionError("Exactly one pool must take the families that no other pool names.")
    if len({p.name for p in pools}) != len(pools):
        raise OptionError("Two pools have one name.")
    if len(named) != len(set(named)):
        raise OptionError("A family can run in one pool only.")
    return pools


def _check_pool(pool: Pool) -> None:
    if pool.actors is not None and (pool.min_actors or pool.max_actors is not None):
        raise OptionError(f"The pool {pool.name!r} has actors, which is both min_actors and max_actors.")
    if pool.max_actors is not None and pool.min_actors > pool.max_actors:
        raise OptionError(f"The pool {pool.name!r} has more min_actors than max_actors.")
    for key, label in pool.labels.items():
        if not isinstance(key, str) or not isinstance(label, str):
            raise OptionError(
                f"The labels of pool {pool.name!r} are texts, so put {label!r} of {key} in quotes."
            )
    for name, amount in pool.resources.items():
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount < float("inf"):
            raise OptionError(
                f"The resource {name} of pool {pool.name!r} is a number above 0, not {amount!r}."
            )
        if name in ("CPU", "GPU", "memory", "object_store_memory"):
            raise OptionError(f"The pool {pool.name!r} asks for {name} by cpus, gpus and memory_gb.")
