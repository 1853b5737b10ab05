"""A job: which annotators run, with which options, in which pools; and the fingerprint of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipeline.annotator import Annotator, CalibratedAnnotator, SoundAnnotator
from pipeline.errors import OptionError
from pipeline.fingerprint import fingerprint
from pipeline.options import resolve
from pipeline.rows import Row
from pipeline.schema import columns_of

CUT = "cut"
SOUND = "sound"
ENHANCE = "enhance"


@dataclass(frozen=True, slots=True)
class WaySpec:
    """One entry of a job as asked for: a way to fill a family, with some of its options."""

    family: str
    name: str
    cls: type[Annotator[Any]]
    options: Mapping[str, object] = field(default_factory=dict)
    languages: frozenset[str] | None = None

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

    def build(self) -> Annotator[Any]:
        """The annotator, ready. Loads its model."""
        return self.cls(**self.options)

    def provenance(self) -> dict[str, object]:
        """What a stranger must know to tell how its values came about."""
        return {
            "annotator": self.family,
            "way": self.name,
            "version": self.cls.version,
            "options": dict(self.options),
            "models": [asdict(m) for m in self.cls.models(self.options)],
            "given_used": sorted(self.sees),
            "languages": None if self.languages is None else sorted(self.languages),
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True, slots=True)
class Pool:
    """A kind of process. `families=None`: every family no other pool names."""

    name: str = "cpu"
    cpus: float = 1.0
    gpus: float = 0.0
    memory_gb: float = 0.0
    actors: int | None = None
    families: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop trying. A batch's deadline is `batch_s` plus `batch_s_per_s` for each second of sound."""

    max_attempts: int = 3
    batch_s: float = 120.0
    batch_s_per_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides a run's values, and who computes them. Ways are in dependency order."""

    ways: tuple[Way, ...]
    cut: Way | None = None
    pools: tuple[Pool, ...] = (Pool(),)
    limits: Limits = Limits()
    shard_size: int = 50
    calibrate_clips: int = 2000
    seed: int = 0
    keep_sound: bool = True
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
        specs = tuple(
            replace(s, options={**s.options, "thresholds": thresholds}) if s.family == family else s
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
    job does not have, a circle of needs, or pools that leave a family without a place.
    """
    job = Job(
        ignore_given=ignore_given, keep_given=keep_given, **_resolved(specs, ignore_given, keep_given), **rest
    )
    _check_pools(job)
    _check_columns(job)
    return job


def _resolved(specs: Sequence[WaySpec], ignore_given: bool, keep_given: frozenset[str]) -> dict[str, Any]:
    ways: dict[tuple[str, str], Way] = {}
    for spec in _ordered(specs):
        if (spec.family, spec.name) in ways:
            raise OptionError(f"The job has {spec.owner} twice.")
        sees = spec.cls.sees & keep_given if ignore_given else spec.cls.sees
        ways[spec.family, spec.name] = _resolve(spec, sees, tuple(ways.values()))
    cut = [w for w in ways.values() if w.family == CUT]
    return {
        "ways": tuple(w for w in ways.values() if w.family != CUT),
        "cut": cut[0] if cut else None,
        "specs": tuple(specs),
    }


def _resolve(spec: WaySpec, sees: frozenset[str], before: tuple[Way, ...]) -> Way:
    options = resolve(spec.cls, spec.owner, spec.options)
    languages = spec.cls.languages if spec.languages is None else spec.languages
    needs, wants = _reads(spec)
    present = {w.family for w in before}
    reads = [w for w in before if w.family in (*needs, *wants)]
    facts = {
        "family": spec.family,
        "way": spec.name,
        "version": spec.cls.version,
        "options": options,
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
        fingerprint=fingerprint(facts),
    )


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
    """Two families may not have a column of one name: the dataset could hold only one."""
    owner: dict[str, str] = {}
    for family in job.families:
        for column in columns_of(job.of(family)[0].row):
            if owner.setdefault(column.name, family) != family:
                raise OptionError(f"{owner[column.name]} and {family} both have a column {column.name!r}.")


def _check_pools(job: Job) -> None:
    named = [f for p in job.pools for f in p.families or ()]
    known = {*job.families, CUT}
    for family in named:
        if family not in known:
            raise OptionError(f"A pool names {family!r}, which the job does not have.")
    if sum(p.families is None for p in job.pools) != 1:
        raise OptionError("Exactly one pool must take the families that no other pool names.")
    if len(named) != len(set(named)):
        raise OptionError("A family can run in one pool only.")
