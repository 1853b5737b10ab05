"""What annotating a sample took, shard by shard."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import sidecar
from pipeline.annotator import Skip
from pipeline.engine.flow import Outcome
from pipeline.engine.plan import Plan
from pipeline.engine.tally import Tally
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report
from pipeline.job import Job
from pipeline.manifest import read_shard
from pipeline.rows import Sound
from pipeline.rundir import DATASET, Shard
from pipeline.storage import Store
from pipeline.way import SOUND, Way


@dataclass(slots=True)
class Spent:
    """What one shard took: compute seconds by the way's key, and by pool all of its processes' time."""

    compute_s: dict[str, float] = field(default_factory=dict)
    busy_s: dict[str, float] = field(default_factory=dict)


class Meter(Watcher):
    """Keeps what every shard took."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.spent: dict[Shard, Spent] = {}
        self.tallies: dict[str, Tally] = {}

    def report(self, plan: Plan, report: Report) -> None:
        """Keep it."""
        spent = self.spent.setdefault(report.task.shard, Spent())
        pool = self._job.pool_of(report.task.keys[0].partition("-")[0])
        spent.busy_s[pool] = spent.busy_s.get(pool, 0.0) + report.busy_s
        for key, found in report.tallies.items():
            spent.compute_s[key] = spent.compute_s.get(key, 0.0) + found.compute_s
            self.tallies.setdefault(key, Tally()).add(found)


@dataclass(frozen=True, slots=True)
class Measured:
    """A sample's figures; lists have one entry a shard."""

    clips: int
    failed: int
    source_s: float
    """Sound of the source; more than the clips where recordings were cut and pauses fell away."""
    speech_s: list[float]
    compute_s: dict[str, list[float]]
    busy_s: dict[str, list[float]]
    cut_s: float
    sidecar_bytes: list[float]
    """Of values alone."""
    empty_bytes: float
    """What the sidecars of a shard take beside their values."""
    sound_bytes: list[float]
    sounds: int
    """Files of sound of a shard."""
    dataset_bytes: float
    tallies: dict[str, Tally]


def measured(folder: Path, outcome: Outcome, meter: Meter) -> Measured:
    """The figures of a finished run in a local folder."""
    job, shards, store = outcome.job, outcome.shards, Store(str(folder))
    names = [way.key for way in job.ways]
    spent = [meter.spent.get(shard, Spent()) for shard in shards]
    empty = sum(_empty_bytes(way) for way in job.ways)
    sounds = [[f for name in names if (f := folder / shard.sound(name)).exists()] for shard in shards]
    speech_s, source_s = _lengths(store, job, shards)
    return Measured(
        clips=outcome.joined.clips,
        failed=outcome.joined.failed,
        source_s=source_s,
        speech_s=speech_s,
        compute_s={key: [s.compute_s.get(key, 0.0) for s in spent] for key in names},
        busy_s={pool.name: [s.busy_s.get(pool.name, 0.0) for s in spent] for pool in job.pools},
        cut_s=meter.tallies[job.cut.key].compute_s if job.cut and job.cut.key in meter.tallies else 0.0,
        sidecar_bytes=[sum(_size(folder / s.sidecar(name)) for name in names) - empty for s in shards],
        empty_bytes=empty,
        sound_bytes=[float(sum(map(_size, files))) for files in sounds],
        sounds=max(map(len, sounds), default=0),
        dataset_bytes=float(sum(_size(file) for file in (folder / DATASET).rglob("*.parquet"))),
        tallies=meter.tallies,
    )


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


def _empty_bytes(way: Way) -> float:
    """What a sidecar takes beside its values: names, types, provenance; that of one clip without a row."""
    with tempfile.TemporaryDirectory() as folder:
        facts = way.provenance() | {"manifest_hash": "0" * 12}
        sidecar.write(Store(folder), "empty.parquet", sidecar.to_table(way.row, [""], [Skip("")]), facts)
        return _size(Path(folder) / "empty.parquet")


def _size(file: Path) -> float:
    return float(file.stat().st_size) if file.exists() else 0.0
