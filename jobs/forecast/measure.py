"""What annotating a sample took, shard by shard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import pyarrow as pa

from jobs.forecast.beside import beside_s
from jobs.forecast.parts import Parts, grouped, plus, sizes
from jobs.forecast.spent import Meter, Spent, keys_of_pools
from pipeline import parquet, sidecar
from pipeline.engine.flow import Outcome
from pipeline.engine.tally import Tally
from pipeline.errors import RunError
from pipeline.job import Job
from pipeline.manifest import read_shard
from pipeline.rows import Sound
from pipeline.rundir import DATASET, Shard
from pipeline.storage import Store
from pipeline.way import SOUND


@dataclass(frozen=True, slots=True)
class Measured:
    """A sample's figures; lists have one entry a shard, or a group of neighbouring ones."""

    failed: int
    source_s: float
    """Sound of the source; more than the clips where recordings were cut and pauses fell away."""
    speech_s: list[float]
    clips: list[int]
    compute_s: dict[str, Parts]
    """By the way's key."""
    beside_s: dict[str, Parts]
    """By pool: what its processes read and write, and no annotator's work."""
    cut_s: float
    sidecars: Parts
    sound: Parts
    sounds: int
    """Files of sound of a shard."""
    dataset: Parts
    dataset_memory: float
    """Bytes of the sample's dataset as Arrow has it: by that it is cut into files."""
    tallies: dict[str, Tally]


def measured(folder: Path, outcome: Outcome, meter: Meter, recordings: int, size: int) -> Measured:
    """The figures of a finished run of so many recordings in a local folder, for shards of that size.

    Shards that were given up are left out; RunError where there are no others.
    """
    job, store = outcome.job, Store(str(folder))
    shards = [shard for shard in outcome.shards if shard not in outcome.given_up]
    if not shards:
        raise RunError("Every shard of the sample was given up: there is nothing to forecast from.")
    speech_s, source_s = _lengths(store, job, shards)
    clips = [shard.clips for shard in shards]
    spent = [meter.spent.get(shard, Spent()) for shard in shards]
    sounds = [[f for way in job.ways if (f := folder / shard.sound(way.key)).exists()] for shard in shards]
    joined = _dataset(store, folder, outcome)
    groups = min(recordings, len(shards))
    return Measured(
        failed=outcome.joined.failed,
        source_s=source_s,
        speech_s=grouped(speech_s, groups),
        clips=grouped(clips, groups),
        compute_s={
            way.key: Parts([one.compute_s.get(way.key, 0.0) for one in spent]).grouped(groups)
            for way in job.ways
        },
        beside_s={
            pool: parts.grouped(groups) for pool, parts in _beside(job, size, store, shards, spent).items()
        },
        cut_s=_cut_s(job, meter),
        sidecars=_sidecars(store, job, shards).grouped(groups),
        sound=Parts([float(sum(map(_size, files))) for files in sounds]).grouped(groups),
        sounds=max(map(len, sounds), default=0),
        dataset=sizes(joined, parquet.encoded).grouped(groups),
        dataset_memory=float(sum(table.nbytes for table in joined)),
        tallies=meter.tallies,
    )


def _beside(
    job: Job, size: int, store: Store, shards: Sequence[Shard], spent: Sequence[Spent]
) -> dict[str, Parts]:
    """By pool. Where sound is not kept its decoding is part of it, which only the sample itself has done."""
    if job.keep_sound:
        return beside_s(replace(job, shard_size=size), store, shards)
    keys_of = keys_of_pools(job)
    return {pool: Parts([one.beside_s(pool, keys) for one in spent]) for pool, keys in keys_of.items()}


def _cut_s(job: Job, meter: Meter) -> float:
    if job.cut is None or job.cut.key not in meter.tallies:
        return 0.0
    spent = meter.tallies[job.cut.key]
    return spent.compute_s - spent.queued_s


def _sidecars(store: Store, job: Job, shards: Sequence[Shard]) -> Parts:
    """Their bytes, of all annotators together."""
    return plus(
        [
            sizes([parquet.read(store, shard.sidecar(way.key)) for shard in shards], parquet.encoded)
            for way in job.ways
        ]
    )


def _dataset(store: Store, folder: Path, outcome: Outcome) -> list[pa.Table]:
    """The rows of each shard that was not given up."""
    files = sorted((folder / DATASET).rglob("*.parquet"))
    joined = pa.concat_tables([parquet.read(store, str(file.relative_to(folder))) for file in files])
    ends = accumulate(shard.clips for shard in outcome.shards)
    return [
        joined.slice(end - shard.clips, shard.clips)
        for shard, end in zip(outcome.shards, ends, strict=True)
        if shard not in outcome.given_up
    ]


def _lengths(store: Store, job: Job, shards: Sequence[Shard]) -> tuple[list[float], float]:
    """Seconds of sound of each shard, and of the recordings that all of it is from, each counted once."""
    of_shards: list[float] = []
    recordings: dict[tuple[object, ...], float] = {}
    for shard in shards:
        rows = sidecar.read_rows(store, shard.sidecar(job.of(SOUND)[0].key), Sound)
        seconds = [row.duration_s if isinstance(row, Sound) else 0.0 for row in rows]
        of_shards.append(sum(seconds))
        for item, length in zip(read_shard(store, shard), seconds, strict=True):
            audio = item.audio
            if item.recording_s is None:
                recordings[audio.url, audio.part, audio.offset_s] = length
            else:
                recordings[audio.url, audio.part, None] = item.recording_s
    return of_shards, sum(recordings.values())


def _size(file: Path) -> float:
    return float(file.stat().st_size) if file.exists() else 0.0
