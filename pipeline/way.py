"""Ways to fill families: as a job asks for them, and resolved, each with its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.annotator import Annotator, AskingAnnotator, SoundAnnotator
from pipeline.errors import OptionError
from pipeline.fingerprint import fingerprint
from pipeline.options import identifying, resolve
from pipeline.rows import Row

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


def resolved(
    specs: Sequence[WaySpec], ignore_given: bool, keep_given: frozenset[str]
) -> dict[tuple[str, str], Way]:
    """The ways by family and name, in dependency order; constructs no annotator.

    Raises OptionError for an option that does not exist or is out of range, a family that needs one that
    is not there, and a circle of needs.
    """
    ways: dict[tuple[str, str], Way] = {}
    for spec in _ordered(specs):
        if (spec.family, spec.name) in ways:
            raise OptionError(f"The job has {spec.owner} twice.")
        sees = spec.cls.sees & keep_given if ignore_given else spec.cls.sees
        rank = sum(family == spec.family for family, _ in ways)
        ways[spec.family, spec.name] = _resolve(spec, sees, tuple(ways.values()), rank)
    return ways


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
