"""Job files: YAML that names annotators, their options, pools and limits. A profile is one that ships.

annotators:
  pitch: dio                              # family: way
  enhance: {use: rnnoise, below_snr_db: 10}
  emotion:                                # several ways, the first that has a row counts
    - {use: emotion2vec, languages: [en]}
    - {use: secap, languages: [zh], optional: true}   # a clip on which it fails is no failed clip
pools: [{name: cpu, cpus: 1}]
limits: {max_attempts: 3}
serve: {model: models/base, lora: {rewriter: models/rewriter}}   # vLLM beside the job: docs/serving.md
shard_size: 200
source_options: {audio_root: /data}       # what --source-option takes: docs/sources.md

Every entry may be left out; without `annotators` they are those of the default profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

import annotators
from jobs.output import notice
from jobs.serving.asked import identified, tell
from jobs.serving.settings import Serve, read_serve
from pipeline.errors import OptionError, unknown
from pipeline.job import Job, Limits, make_job
from pipeline.options import options_of
from pipeline.pool import Pool
from pipeline.way import WaySpec

PROFILES = Path(__file__).parent / "profiles"
_SCALARS = ("shard_size", "calibrate_clips", "seed", "keep_sound")
_NO_OPTIONS = ("use", "languages", "optional")
"""Of an entry: what the annotator itself is not told."""
KEYS = {"annotators", "pools", "limits", "serve", "source_options", *_SCALARS}
DEFAULT_PROFILE = "embedded"


def profiles() -> tuple[str, ...]:
    """The profiles that ship."""
    return tuple(sorted(p.stem for p in PROFILES.glob("*.yaml")))


def read_profile(name: str) -> dict[str, Any]:
    """A profile that ships, as a record."""
    if name not in profiles():
        raise unknown("profile", name, profiles())
    return read_file(PROFILES / f"{name}.yaml")


def read_file(path: Path) -> dict[str, Any]:
    """A job file as a record; OptionError if it is not one."""
    try:
        record = yaml.safe_load(path.read_text())
    except OSError as error:
        raise OptionError(f"The job file {path} cannot be read: {(error.strerror or '').lower()}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OptionError(f"The job file {path} is not YAML{_where(error)}.") from error
    if not isinstance(record, dict):
        raise OptionError(f"The job file {path} must map entries such as 'annotators' to what they hold.")
    for key in record:
        if key not in KEYS:
            raise unknown("entry of a job file", str(key), KEYS)
    if "annotators" not in record:
        return read_profile(DEFAULT_PROFILE) | record
    if not isinstance(record["annotators"], dict):
        raise OptionError(f"'annotators' of the job file {path} must map families to ways.")
    return record


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f": line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else ""


def build_job(
    record: Mapping[str, Any],
    sets: Sequence[str] = (),
    *,
    ignore_given: bool = False,
    keep_given: Sequence[str] = (),
    **overrides: Any,
) -> Job:
    """The job a record describes, with `--set` assignments applied; `overrides` of None change nothing.

    Where an option is set that the way in the record does not have and exactly one other way of the family
    does, that way is taken, and a line on standard error says so.
    """
    limits = record.get("limits") or {}
    if not isinstance(limits, dict):
        raise OptionError(f"'limits' must map names to numbers, not {limits!r}.")
    record = {**record, "annotators": dict(record["annotators"]), "limits": dict(limits)}
    chosen = {name for name, equals, _ in (text.partition("=") for text in sets) if equals}
    for assignment in sets:
        _assign(record, assignment, chosen)
    if serve := serve_of(record):
        record = tell(record, serve)
    rest: dict[str, Any] = {k: record[k] for k in _SCALARS if k in record}
    rest |= {k: v for k, v in overrides.items() if v is not None}
    if record.get("pools"):
        rest["pools"] = _pools(record["pools"])
    return make_job(
        specs_of(record),
        limits=_dataclass(Limits, "limit", record["limits"]),
        ignore_given=ignore_given,
        keep_given=frozenset(keep_given),
        **rest,
    )


def serve_of(record: Mapping[str, Any]) -> Serve | None:
    """What the job serves itself, under names that say which weights; none where it asks for nothing."""
    return identified(read_serve(record["serve"])) if record.get("serve") else None


def specs_of(record: Mapping[str, Any]) -> list[WaySpec]:
    """The annotators a record asks for."""
    return [spec for family, entry in record["annotators"].items() for spec in _specs(family, entry)]


def _specs(family: str, entry: object) -> list[WaySpec]:
    if _is_off(entry):
        return []
    entries = entry if isinstance(entry, list) else [entry]
    return [_spec(family, e) for e in entries]


def _spec(family: str, entry: object) -> WaySpec:
    if isinstance(entry, str):
        entry = {"use": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("use"), str):
        raise OptionError(f"The entry {family!r} must be the name of a way or a mapping with 'use'.")
    options = {k: v for k, v in entry.items() if k not in _NO_OPTIONS}
    languages, optional = entry.get("languages"), entry.get("optional", False)
    if not isinstance(optional, bool):
        raise OptionError(f"{family}.optional takes true or false, not {optional!r}.")
    cls = annotators.load(family, entry["use"])
    name = entry["use"].rpartition(".")[2]
    served = None if languages is None else _names("languages", languages)
    return WaySpec(family, name, cls, options, served, optional)


def _assign(record: dict[str, Any], assignment: str, chosen: Set[str]) -> None:
    """Apply `family=way`, `family=off`, `family.option=value` or `limits.name=value`.

    The ways of the families in `chosen` are as somebody set them.
    """
    name, equals, text = assignment.partition("=")
    family, dot, option = name.partition(".")
    if not equals or not family or (dot and not option):
        raise OptionError(f"--set takes annotator.option=value or annotator=way, not {assignment!r}.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    if family == "limits" and option:
        record["limits"][option] = value
        return
    entries = record["annotators"]
    if not dot:
        if value not in (None, False, "off") and "." not in str(value) and family not in annotators.ways():
            raise unknown("annotator", family, annotators.ways())
        entries[family] = "off" if value in (None, False) else str(value)
        return
    present = [name for name, entry in entries.items() if not _is_off(entry)]
    if family not in present:
        raise unknown("annotator in this job", family, present)
    given = entries[family] if isinstance(entries[family], list) else [entries[family]]
    if family not in chosen and (other := _other_way(family, given, option)):
        notice(
            f"{family} is filled by {other}, because {assignment.partition('=')[0]} is an option of that way."
        )
        given = [_moved(family, given[0], other)]
    entries[family] = [_with_option(family, e, option, value, alone=len(given) == 1) for e in given]


def _other_way(family: str, entries: Sequence[Any], option: str) -> str | None:
    """The one other way of the family that has the option, where the only one of the job has not."""
    if len(entries) != 1:
        return None
    name = entries[0] if isinstance(entries[0], str) else str(entries[0].get("use"))
    if option in options_of(annotators.load(family, name)):
        return None
    others = [way for way in annotators.ways().get(family, ()) if way != name and _has(family, way, option)]
    return others[0] if len(others) == 1 else None


def _has(family: str, way: str, option: str) -> bool:
    try:
        return option in options_of(annotators.load(family, way))
    except OptionError:  # a package that is not installed
        return False


def _moved(family: str, entry: Any, way: str) -> dict[str, Any]:
    """The entry for another way, with what that way too can be told."""
    known = {*options_of(annotators.load(family, way)), *_NO_OPTIONS[1:]}
    kept = {} if isinstance(entry, str) else {k: v for k, v in entry.items() if k in known}
    return {"use": way, **kept}


def _with_option(family: str, entry: Any, option: str, value: object, *, alone: bool) -> Any:
    """The entry with the option set; of several ways, those that have such an option."""
    entry = {"use": entry} if isinstance(entry, str) else dict(entry)
    cls = annotators.load(family, str(entry.get("use")))
    if alone or option in options_of(cls) or option in _NO_OPTIONS:
        entry[option] = value
    return entry


def _is_off(entry: object) -> bool:
    return entry is None or entry is False or entry == "off"


def _pools(records: object) -> tuple[Pool, ...]:
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise OptionError("'pools' must be a list of mappings such as {name: cpu, cpus: 1}.")
    return tuple(_pool(r) for r in records)


def _pool(record: Mapping[str, Any]) -> Pool:
    families = record.get("families")
    known = {**record, "families": None if families in (None, "all") else _names("families", families)}
    pool: Pool = _dataclass(Pool, "setting of a pool", known)
    return pool


def _names(entry: str, value: object) -> frozenset[str]:
    """One name or a list of them. YAML reads the language `no` as false: it needs quotes."""
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise OptionError(f"{entry!r} must be a name or a list of names in quotes, not {value!r}.")
    return frozenset(names)


def _dataclass(cls: Any, kind: str, record: Mapping[str, Any]) -> Any:
    names = {f.name for f in fields(cls)}
    for name in record:
        if name not in names:
            raise unknown(kind, name, names)
    return cls(**record)
