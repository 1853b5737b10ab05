"""A job: which annotators run, with which options, in which pools; and the fingerprint of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

from pipeline.annotator import CalibratedAnnotator
from pipeline.clip import Given
from pipeline.errors import OptionError, unknown
from pipeline.limits import allowed
from pipeline.options import Option, checked
from pipeline.pool import Pool, checked_pools
from pipeline.schema import CLIP_COLUMNS, columns_of
from pipeline.way import CUT, Way, WaySpec, resolved

_GIVEN = frozenset(f.name for f in fields(Given))


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop trying. A batch's deadline is `batch_s` plus `batch_s_per_s` for each second of sound."""

    max_attempts: Annotated[int, Option("tries before a shard is given up", low=1)] = 3
    batch_s: Annotated[float, Option("deadline of a batch without sound", "s", low=0.1)] = 120.0
    batch_s_per_s: Annotated[float, Option("more of it per second of sound", low=0.0)] = 20.0
    load_s: Annotated[float, Option("deadline of loading one annotator", "s", low=0.1)] = 900.0
    max_failed_clips: Annotated[
        int | str | None, Option("more failed clips end the run: a number, or a share such as 1%", low=0)
    ] = None
    max_failed_shards: Annotated[int | str | None, Option("the same of shards that are given up", low=0)] = (
        None
    )


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides a run's values, and who computes them. Ways are in dependency order."""

    ways: tuple[Way, ...]
    cut: Way | None = None
    pools: tuple[Pool, ...] = (Pool(),)
    limits: Limits = Limits()
    shard_size: Annotated[int, Option("clips in a shard", low=1)] = 50
    calibrate_clips: Annotated[int, Option("clips that thresholds are made from", low=1)] = 2000
    seed: Annotated[int, Option("of the sample of those clips")] = 0
    keep_sound: Annotated[bool, Option("whether decoded sound stays in the run directory")] = True
    specs: tuple[WaySpec, ...] = ()
    ignore_given: bool = False
    keep_given: frozenset[str] = frozenset()

    def of(self, family: str) -> tuple[Way, ...]:
        """The ways of a family, the preferred first."""
        return tuple(w for w in self.ways if w.family == family)

    @property
    def families(self) -> tuple[str, ...]:
        """Every family, in dependency order."""
        return tuple(dict.fromkeys(w.family for w in self.ways))

    def pool_of(self, family: str) -> str:
        """The pool a family runs in."""
        for pool in self.pools:
            if pool.families is not None and family in pool.families:
                return pool.name
        return next(p.name for p in self.pools if p.families is None)

    def upstream(self, families: Iterable[str]) -> frozenset[str]:
        """These families and all that they read, directly or not."""
        wanted: set[str] = set()
        stack = [f for f in families if self.of(f)]
        while stack:
            family = stack.pop()
            if family not in wanted:
                wanted.add(family)
                stack.extend(f for w in self.of(family) for f in (*w.needs, *w.wants))
        return frozenset(wanted)

    def uncalibrated(self) -> tuple[Way, ...]:
        """The ways whose thresholds must still come from the corpus."""
        return tuple(
            w
            for w in self.ways
            if issubclass(w.cls, CalibratedAnnotator) and w.options.get("thresholds") is None
        )

    def with_thresholds(self, family: str, thresholds: Mapping[str, object]) -> Job:
        """The same job with a family's thresholds set: its fingerprint, and those after it, change."""
        uncalibrated = {f"{w.family}={w.name}" for w in self.uncalibrated() if w.family == family}
        specs = tuple(
            replace(s, options={**s.options, "thresholds": thresholds}) if s.owner in uncalibrated else s
            for s in self.specs
        )
        return replace(self, **_resolved(specs, self.ignore_given, self.keep_given))


def make_job(
    specs: Sequence[WaySpec],
    *,
    ignore_given: bool = False,
    keep_given: frozenset[str] = frozenset(),
    **rest: Any,
) -> Job:
    """Resolve and check a job without constructing any annotator.

    Raises OptionError for an option that does not exist or is out of range, a family that needs one the
    job does not have, a circle of needs, pools that leave a family without a place, a field of `given`
    that does not exist, or no annotators at all.
    """
    for name in keep_given - _GIVEN:
        raise unknown("given field", name, _GIVEN)
    decided = _resolved(specs, ignore_given, keep_given)
    job = checked("job", Job(ignore_given=ignore_given, keep_given=keep_given, **decided, **rest))
    if not job.ways:
        raise OptionError("The job has no annotators.")
    pools = checked_pools(job.pools, {*job.families, CUT})
    job = replace(job, pools=pools, limits=checked("limits", job.limits))
    for name in ("max_failed_clips", "max_failed_shards"):
        allowed(name, getattr(job.limits, name), 1)
    _check_columns(job)
    _check_optional(job)
    return job


def _resolved(specs: Sequence[WaySpec], ignore_given: bool, keep_given: frozenset[str]) -> dict[str, Any]:
    """The fields of a job that its specs decide."""
    ways = resolved(specs, ignore_given, keep_given).values()
    return {
        "ways": tuple(w for w in ways if w.family != CUT),
        "cut": next((w for w in ways if w.family == CUT), None),
        "specs": tuple(specs),
    }


def _check_columns(job: Job) -> None:
    """Every column of the dataset has one owner, and the ways of a family fill the same columns."""
    owner = dict.fromkeys(CLIP_COLUMNS, "The dataset itself")
    for family in job.families:
        rows = {way.row for way in job.of(family)}
        if len(rows) > 1:
            names = ", ".join(sorted(row.__qualname__ for row in rows))
            raise OptionError(f"The ways of {family} fill different rows: {names}.")
        for column in columns_of(rows.pop()):
            if owner.setdefault(column.name, family) != family:
                raise OptionError(f"{owner[column.name]} and {family} both have a column {column.name!r}.")


def _check_optional(job: Job) -> None:
    """What must not fail needs nothing that may."""
    for way in job.ways:
        for family in () if way.optional else way.needs:
            if any(w.optional for w in job.of(family)):
                raise OptionError(
                    f"{way.family}={way.name} needs {family}, so {family} can be optional only if it is too."
                )
