"""job.yaml: the job as resolved, for people to read and for later commands to read back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import yaml

from pipeline.errors import RunError
from pipeline.filesystems import redacted
from pipeline.job import Job
from pipeline.rundir import JOB
from pipeline.storage import Store
from pipeline.way import Way


def write_job(store: Store, job: Job, source: str) -> None:
    """Write job.yaml. The same job gives the same bytes."""
    ways = [*([job.cut] if job.cut else []), *job.ways]
    record: dict[str, Any] = {
        "source": redacted(source),
        "shard_size": job.shard_size,
        "calibrate_clips": job.calibrate_clips,
        "seed": job.seed,
        "keep_sound": job.keep_sound,
        "ignore_given": job.ignore_given,
        "keep_given": sorted(job.keep_given),
        "limits": asdict(job.limits),
        "pools": [_pool(asdict(p)) for p in job.pools],
        "annotators": {},
    }
    for way in ways:
        record["annotators"].setdefault(way.family, []).append(_way(way))
    text = yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=110)
    store.write(JOB, text.encode())


def read_job(store: Store) -> dict[str, Any]:
    """What job.yaml holds; RunError if there is none, or one that no run wrote."""
    if not store.exists(JOB):
        raise RunError(f"{store.url} holds no run: there is no {JOB} in it.")
    try:
        record = yaml.safe_load(store.read(JOB))
    except yaml.YAMLError:
        record = None
    if not isinstance(record, dict) or not {"source", "annotators"} <= record.keys():
        raise RunError(f"{store.full(JOB)} is not of a run, and is not touched: give another folder.")
    return record


def _way(way: Way) -> dict[str, Any]:
    facts = way.provenance()
    languages = facts["languages"]
    return {
        "use": way.name,
        "module": way.cls.__module__,
        "fingerprint": way.fingerprint,
        "version": way.cls.version,
        **({"languages": languages} if languages is not None else {}),
        **({"optional": True} if way.optional else {}),
        "options": plain(dict(way.options)),
        "models": facts["models"],
    }


def _pool(pool: dict[str, Any]) -> dict[str, Any]:
    families = pool["families"]
    return pool | {"families": None if families is None else sorted(families)}


def plain(value: Any) -> Any:
    """As job.yaml has it: tuples as lists, which YAML's safe form does not know, and no passwords."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value
