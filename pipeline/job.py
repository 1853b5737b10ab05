"""A job: which annotators run, with which options, in which pools; and the fingerprint of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any

from pipeline.annotator import Annotator, AskingAnnotator, CalibratedAnnotator, SoundAnnotator
from pipeline.clip import Given
from pipeline.errors import OptionError, unknown
from pipeline.fingerprint import fingerprint
from pipeline.limits import allowed
from pipeline.options import Option, checked, identifying, resolve
from pipeline.rows import Row
from pipeline.schema import CLIP_COLUMNS, columns_of

CUT = "cut"
SOUND = "sound"
ENHANCE = "enhance"
_GIVEN = frozenset(f.name for f in fields(Given))


@dataclass(frozen=True, slots=True)
class WaySpec:
    """One entry of a job as asked for: a way to fill a family, with some of its options."""

    family: str
    name: str
    cls: type[Annotator[Any]]
    options: Mapping[str, object] = field(default_factory=dict)
    languages: frozenset[str] | None = None
    optional: bool = False

    @property
    def owner(self) -> str:
        """How messages name it."""
        return f"{self.family}={self.name}"


@dataclass(frozen=True, slots=True)
class Way:
    """One entry of a job, resolved: every option has its value, and all it depends on is known."""

    family: str
    name: str
    cls: type[Annotator[Any]]
    options: Mapping[str, object]
    languages: frozenset[str] | None
    sees: frozenset[str]
    needs: tuple[str, ...]
    wants: tuple[str, ...]
    fingerprint: str
    rank: int = 0
    """Its place among the ways of its family: the first that has a row counts."""
    optional: bool = False
    """Whether a clip on which it fails is no failed clip. It changes no row: no part of the fingerprint."""

    @property
    def key(self) -> str:
        """The folder of its sidecars."""
        return f"{self.family}-{self.name}@{self.fingerprint}"

    @property
    def row(self) -> type[Row]:
        """The row it writes."""
        return self.cls.row

    @property
    def makes_sound(self) -> bool:
        """Whether a sound artifact belongs to it."""
        return issubclass(self.cls, SoundAnnotator)

    @property
    def asks(self) -> bool:
        """Whether it asks a service, whose answers are kept until its sidecar is there."""
        return issubclass(self.cls, AskingAnnotator)

    def build(self) -> Annotator[Any]:
        """The annotator, ready. Loads its model."""
        return self.cls(**self.options)

    def provenance(self) -> dict[str, object]:
        """What a stranger must know to tell how its values came about."""
        return {
            "annotator": self.family,
            "way": self.name,
            "version": self.cls.version,
            "options": identifying(self.cls, self.options),
            "models": [asdict(m) for m in self.cls.models(self.options)],
            "given_used": sorted(self.sees),
            "languages": None if self.languages is None else sorted(self.languages),
            "fingerprint": self.fingerprint,
        }


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
    resolved = _resolved(specs, ignore_given, keep_given)
    job = checked("job", Job(ignore_given=ignore_given, keep_given=keep_given, **resolved, **rest))
    if not job.ways:
        raise OptionError("The job has no annotators.")
    pools = tuple(checked("pool", pool) for pool in job.pools)
    job = replace(job, pools=pools, limits=checked("limits", job.limits))
    for name in ("max_failed_clips", "max_failed_shards"):
        allowed(name, getattr(job.limits, name), 1)
    _check_pools(job)
    _check_columns(job)
    _check_optional(job)
    return job


def _resolved(specs: Sequence[WaySpec], ignore_given: bool, keep_given: frozenset[str]) -> dict[str, Any]:
    ways: dict[tuple[str, str], Way] = {}
    for spec in _ordered(specs):
        if (spec.family, spec.name) in ways:
            raise OptionError(f"The job has {spec.owner} twice.")
        sees = spec.cls.sees & keep_given if ignore_given else spec.cls.sees
        rank = sum(family == spec.family for family, _ in ways)
        ways[spec.family, spec.name] = _resolve(spec, sees, tuple(ways.values()), rank)
    cut = [w for w in ways.values() if w.family == CUT]
    return {
        "ways": tuple(w for w in ways.values() if w.family != CUT),
        "cut": cut[0] if cut else None,
        "specs": tuple(specs),
    }


def _resolve(spec: WaySpec, sees: frozenset[str], before: tuple[Way, ...], rank: int) -> Way:
    options = dict(spec.cls.complete(resolve(spec.cls, spec.owner, spec.options)))
    languages = spec.cls.languages if spec.languages is None else spec.languages
    needs, wants = _reads(spec)
    present = {w.family for w in before}
    reads = [w for w in before if w.family in (*needs, *wants)]
    facts = {
        "family": spec.family,
        "way": spec.name,
        "version": spec.cls.version,
        "options": identifying(spec.cls, options),
        "models": [[m.name, m.identity] for m in spec.cls.models(options)],
        "salt": spec.cls.salt(options),
        "languages": None if languages is None else sorted(languages),
        "sees": sorted(sees),
        "reads": sorted(w.key for w in reads),
    }
    return Way(
        family=spec.family,
        name=spec.name,
        cls=spec.cls,
        options=options,
        languages=languages,
        sees=sees,
        needs=needs,
        wants=tuple(f for f in wants if f in present),
        fingerprint=_fingerprint(spec.owner, facts),
        rank=rank,
        optional=spec.optional,
    )


def _fingerprint(owner: str, facts: Mapping[str, object]) -> str:
    try:
        return fingerprint(facts)
    except (TypeError, ValueError) as error:
        raise OptionError(f"The options of {owner} hold what has no stable bytes: {error}.") from error


def _reads(spec: WaySpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The families it needs and those it reads where present, sound and language included."""
    needs = [row.family for row in spec.cls.needs]
    wants = [row.family for row in spec.cls.wants]
    if spec.cls.hears is not None and spec.family != SOUND:
        needs.append(SOUND)
        if spec.cls.hears == "speech":
            wants.append(ENHANCE)
    if spec.cls.languages is not None or spec.languages is not None:
        wants.append("language")
    return tuple(dict.fromkeys(needs)), tuple(f for f in dict.fromkeys(wants) if f not in needs)


def _ordered(specs: Sequence[WaySpec]) -> list[WaySpec]:
    """Each after all it reads; otherwise in the order given."""
    families = {s.family for s in specs}
    for spec in specs:
        for need in _reads(spec)[0]:
            if need not in families:
                raise OptionError(f"{spec.owner} needs the annotator {need!r}, which the job does not have.")
    ordered: list[WaySpec] = []
    left = list(specs)
    while left:
        waiting = {s.family for s in left}
        ready = [s for s in left if not waiting & {f for part in _reads(s) for f in part} - {s.family}]
        if not ready:
            raise OptionError(f"These annotators need each other in a circle: {', '.join(sorted(waiting))}.")
        ordered.append(ready[0])
        left.remove(ready[0])
    return ordered


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


def _check_pools(job: Job) -> None:
    named = [f for p in job.pools for f in p.families or ()]
    known = {*job.families, CUT}
    for family in named:
        if family not in known:
            raise OptionError(f"A pool names {family!r}, which the job does not have.")
    for pool in job.pools:
        _check_pool(pool)
    if sum(p.families is None for p in job.pools) != 1:
        raise OptionError("Exactly one pool must take the families that no other pool names.")
    if len({p.name for p in job.pools}) != len(job.pools):
        raise OptionError("Two pools have one name.")
    if len(named) != len(set(named)):
        raise OptionError("A family can run in one pool only.")


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
