"""From the figures of a sample to those of many hours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jobs.costs import costs
from jobs.forecast.estimate import Estimate, ratio
from jobs.forecast.measure import Measured
from pipeline.job import Job
from pipeline.packs import PACK_BYTES, PACK_SHARDS

HOUR_S = 3600.0
MANIFEST_OBJECTS = 2
"""Beside the shards' own: which are current, and which the source has."""
FILE_OBJECTS = 2
"""Of a dataset beside its data: the card and the index."""
PART_BYTES = 100e6
"""A file of the dataset, compressed; it is 256 MiB before."""


def forecast(job: Job, found: Measured, hours: float, actors: Mapping[str, int]) -> dict[str, Any]:
    """What `hours` of the source's sound would take. `actors`: processes of each pool."""
    speech_h = hours * sum(found.speech_s) / found.source_s
    clips = max(1, round(found.clips * hours * HOUR_S / found.source_s))
    shards = math.ceil(clips / job.shard_size)
    pools = [_pool(job, found, pool.name, hours, speech_h, actors) for pool in job.pools]
    sidecars = _per_hour(found.sidecar_bytes, found).times(speech_h).plus(shards * found.empty_bytes)
    dataset_bytes = found.dataset_bytes * hours * HOUR_S / found.source_s
    data_files = math.ceil(dataset_bytes / PART_BYTES)
    return {
        "hours": hours,
        "speech_hours": round(speech_h, 3),
        "clips": clips,
        "shards": shards,
        "sample": {
            "clips": found.clips,
            "failed": found.failed,
            "shards": len(found.speech_s),
            "speech_s": round(sum(found.speech_s), 3),
        },
        "annotators": _annotators(job, found, speech_h),
        "pools": pools,
        "elapsed_hours": _longest(pools).facts(),
        "core_hours": _sum(pools, "core_hours"),
        "gpu_hours": _sum(pools, "gpu_hours"),
        "bytes": {
            "sound": _per_hour(found.sound_bytes, found).times(speech_h).facts(),
            "sidecars": sidecars.facts(),
            "dataset": Estimate(dataset_bytes).facts(),
        },
        "objects": {
            "manifest": shards + MANIFEST_OBJECTS,
            "sound": shards * found.sounds,
            "sidecars": _sidecar_objects(shards, len(job.ways), sidecars.value),
            "dataset": data_files + FILE_OBJECTS,
        },
    }


def _sidecar_objects(shards: int, ways: int, size: float) -> int:
    """Sidecars of each full thousand of shards lie in packs, those of one way in one or, if large, a few."""
    thousands, rest = divmod(shards, PACK_SHARDS)
    more = int(size / max(1, shards) * PACK_SHARDS / PACK_BYTES)
    return thousands * (ways + more) + rest * ways


def _per_hour(amounts: list[float], found: Measured) -> Estimate:
    return ratio(amounts, [s / HOUR_S for s in found.speech_s])


def _annotators(job: Job, found: Measured, speech_h: float) -> list[dict[str, Any]]:
    lines = {line["annotator"]: line for line in costs(found.tallies, [way.key for way in job.ways])}
    table = []
    for way in job.ways:
        name = f"{way.family}-{way.name}"
        per_hour = _per_hour(found.compute_s[way.key], found)
        table.append(
            {
                "annotator": name,
                "pool": job.pool_of(way.family),
                "compute_s_per_speech_h": per_hour.facts(),
                "process_hours": per_hour.times(speech_h / HOUR_S).facts(),
                "share": lines[name]["share"] if name in lines else 0.0,
                "load_s": lines[name]["load_s"] if name in lines else 0.0,
                "peak_rss_gb": lines[name]["peak_rss_gb"] if name in lines else None,
            }
        )
    return table


def _pool(
    job: Job, found: Measured, name: str, hours: float, speech_h: float, actors: Mapping[str, int]
) -> dict[str, Any]:
    """The hours of a pool's processes, all they do included, and of its cores and GPUs."""
    pool = next(p for p in job.pools if p.name == name)
    process_h = _per_hour(found.busy_s[name], found).times(speech_h / HOUR_S)
    if job.cut is not None and job.pool_of(job.cut.family) == name:
        process_h = process_h.plus(found.cut_s * hours / found.source_s)
    return {
        "pool": name,
        "processes": actors[name],
        "process_hours": process_h.facts(),
        "elapsed_hours": process_h.times(1 / actors[name]).facts(),
        "core_hours": process_h.times(pool.cpus).facts(),
        "gpu_hours": process_h.times(pool.gpus).facts(),
    }


def _longest(pools: list[dict[str, Any]]) -> Estimate:
    """Pools work side by side: the slowest says when all is done."""
    longest = max(pools, key=lambda pool: float(pool["elapsed_hours"]["value"]))["elapsed_hours"]
    return Estimate(longest["value"], longest["low"], longest["high"])


def _sum(pools: list[dict[str, Any]], name: str) -> dict[str, float | None]:
    """Intervals are added as they stand, which is no narrower than that of the sum."""
    parts = [pool[name] for pool in pools]
    low, high = ([p[end] for p in parts] for end in ("low", "high"))
    return {
        "value": sum(p["value"] for p in parts),
        "low": None if None in low else sum(low),
        "high": None if None in high else sum(high),
    }
