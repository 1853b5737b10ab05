"""From the figures of a sample to those of many hours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.costs import GB
from jobs.forecast.estimate import Estimate, ratio
from jobs.forecast.measure import Measured
from jobs.forecast.parts import Parts, plus
from pipeline.job import Job
from pipeline.join import FILE_BYTES
from pipeline.packs import PACK_BYTES, PACK_SHARDS
from pipeline.pool import Pool
from pipeline.way import Way

HOUR_S = 3600.0
MANIFEST_OBJECTS = 2
"""Beside the shards' own: which are current, and which the source has."""
FILE_OBJECTS = 2
"""Of a dataset beside its data: the card and the index."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """What the sample stands for: `speech_h` is less than the source's `hours` where pauses are cut out."""

    job: Job
    found: Measured
    hours: float
    speech_h: float
    clips: int
    shards: int

    def of(self, parts: Parts, files: int | None = None) -> Estimate:
        """So much of it for all, in so many files; in shards where no number is given."""
        amounts = parts.amounts(self.found.clips, self.clips / (files or self.shards))
        return ratio(amounts, [s / HOUR_S for s in self.found.speech_s]).times(self.speech_h)

    def process_hours(self, parts: Parts) -> Estimate:
        """Hours of one process, from parts in seconds."""
        return self.of(parts).times(1 / HOUR_S)

    def cutting(self, pool: str) -> Estimate:
        """Hours of one process in which recordings are cut, if it is one of the pool's."""
        cut = self.job.cut
        here = cut is not None and self.job.pool_of(cut.family) == pool
        return Estimate(self.found.cut_s * self.hours / self.found.source_s if here else 0.0)


def forecast(job: Job, found: Measured, hours: float, actors: Mapping[str, int]) -> dict[str, Any]:
    """What `hours` of the source's sound would take. `actors`: processes of each pool."""
    whole = _whole(job, found, hours)
    pools = [_pool(whole, pool, actors[pool.name]) for pool in job.pools]
    memory = found.dataset_memory * whole.clips / sum(found.clips)
    data_files = max(1, math.ceil(memory / FILE_BYTES))
    sidecars = whole.of(found.sidecars)
    return {
        "hours": hours,
        "speech_hours": round(whole.speech_h, 3),
        "clips": whole.clips,
        "shards": whole.shards,
        "sample": {
            "clips": sum(found.clips),
            "failed": found.failed,
            "groups": len(found.speech_s),
            "speech_s": round(sum(found.speech_s), 3),
        },
        "annotators": _lines(whole),
        "pools": pools,
        "elapsed_hours": _longest(pools).facts(),
        "core_hours": _sum(pools, "core_hours"),
        "gpu_hours": _sum(pools, "gpu_hours"),
        "bytes": {
            "sound": whole.of(found.sound).facts(),
            "sidecars": sidecars.facts(),
            "dataset": whole.of(found.dataset, data_files).facts(),
        },
        "objects": {
            "manifest": whole.shards + MANIFEST_OBJECTS,
            "sound": whole.shards * found.sounds,
            "sidecars": _sidecar_objects(whole.shards, len(job.ways), sidecars.value),
            "dataset": data_files + FILE_OBJECTS,
        },
    }


def _whole(job: Job, found: Measured, hours: float) -> _Whole:
    speech_h = hours * sum(found.speech_s) / found.source_s
    clips = max(1, round(sum(found.clips) * hours * HOUR_S / found.source_s))
    return _Whole(job, found, hours, speech_h, clips, math.ceil(clips / job.shard_size))


def _sidecar_objects(shards: int, ways: int, size: float) -> int:
    """Sidecars of each full thousand of shards lie in packs, those of one way in one or, if large, a few."""
    thousands, rest = divmod(shards, PACK_SHARDS)
    more = int(size / max(1, shards) * PACK_SHARDS / PACK_BYTES)
    return thousands * (ways + more) + rest * ways


def _lines(whole: _Whole) -> list[dict[str, Any]]:
    """Where the processes' hours go: of each annotator, of cutting, and of each pool what is beside them."""
    job, found = whole.job, whole.found
    lines = [
        _line(whole, _name(way), job.pool_of(way.family), whole.process_hours(found.compute_s[way.key]), way)
        for way in job.ways
    ]
    if job.cut is not None:
        pool = job.pool_of(job.cut.family)
        lines.insert(0, _line(whole, _name(job.cut), pool, whole.cutting(pool), job.cut))
    for pool, beside in found.beside_s.items():
        lines.append(_line(whole, "", pool, whole.process_hours(beside), None))
    total = sum(line["process_hours"]["value"] for line in lines)
    for line in lines:
        line["share"] = round(line["process_hours"]["value"] / total, 4) if total else 0.0
    return lines


def _line(whole: _Whole, name: str, pool: str, hours: Estimate, way: Way | None) -> dict[str, Any]:
    spent = whole.found.tallies.get(way.key) if way else None
    return {
        "annotator": name,
        "pool": pool,
        "compute_s_per_speech_h": hours.times(HOUR_S / whole.speech_h).facts() if whole.speech_h else None,
        "process_hours": hours.facts(),
        "load_s": round(spent.load_s, 3) if spent else 0.0,
        "peak_rss_gb": round(spent.peak_rss_bytes / GB, 3) if spent and spent.peak_rss_bytes else None,
    }


def _name(way: Way) -> str:
    return f"{way.family}-{way.name}"


def _pool(whole: _Whole, pool: Pool, processes: int) -> dict[str, Any]:
    """The hours of a pool's processes, all they do included, and of its cores and GPUs."""
    job, found = whole.job, whole.found
    own = [found.compute_s[way.key] for way in job.ways if job.pool_of(way.family) == pool.name]
    process_h = whole.process_hours(plus([*own, found.beside_s[pool.name]]))
    process_h = process_h.plus(whole.cutting(pool.name).value)
    return {
        "pool": pool.name,
        "processes": processes,
        "process_hours": process_h.facts(),
        "elapsed_hours": process_h.times(1 / processes).facts(),
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
