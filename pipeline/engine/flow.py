"""A run from source to dataset. To resume is to run it again: what exists is not computed again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline import sidecar
from pipeline.annotator import CalibratedAnnotator
from pipeline.clip import Clip
from pipeline.engine.base import Engine
from pipeline.engine.driver import Phase, Watcher, run_phase
from pipeline.engine.work import Clips
from pipeline.errors import SourceError
from pipeline.job import Job, Way
from pipeline.join import Joined, join
from pipeline.manifest import read_shard, write_index
from pipeline.planning import is_long, plan_source, plan_utterances
from pipeline.record import write_job
from pipeline.rundir import FAILURES, Shard, calibration
from pipeline.source.base import Item
from pipeline.storage import Store


@dataclass(slots=True)
class Outcome:
    """What a run did. `job` is the one that ran, thresholds included."""

    job: Job
    shards: list[Shard]
    joined: Joined
    phases: list[Phase] = field(default_factory=list)

    @property
    def given_up(self) -> list[Shard]:
        """Shards that were given up."""
        return sorted({s for p in self.phases for s in p.given_up})


def annotate(
    items: Iterable[Item], job: Job, store: Store, engine: Engine, watcher: Watcher, source: str = ""
) -> Outcome:
    """Annotate every item and write the dataset.

    Raises UsageError for what cannot be done; whatever ends it, finished sidecars stay and the same
    call goes on behind them.
    """
    for way in (*job.ways, *([job.cut] if job.cut else [])):
        way.cls.check(way.options)
    store.prepare()
    phases: list[Phase] = []
    shards = _plan(items, job, store, engine, watcher, phases)
    write_index(store, shards)
    for way in job.uncalibrated():
        job = job.with_thresholds(way.family, _thresholds(way, job, store, engine, shards, watcher, phases))
    write_job(store, job, source)
    phases.append(run_phase(job, store, engine, shards, job.ways, watcher, "annotate"))
    outcome = Outcome(job, shards, Joined(), phases)
    _forget_old_failures(store, outcome.given_up)
    outcome.joined = join(store, job, shards)
    return outcome


def _forget_old_failures(store: Store, given_up: Sequence[Shard]) -> None:
    current = {shard.failure for shard in given_up}
    for name in store.names(FAILURES):
        if name not in current:
            store.remove(name)


def _plan(
    items: Iterable[Item], job: Job, store: Store, engine: Engine, watcher: Watcher, phases: list[Phase]
) -> list[Shard]:
    cut = job.cut
    max_s = float("inf") if cut is None else float(str(cut.options["whole_s"]))
    planned = plan_source(store, items, job.shard_size, lambda item: cut is not None and is_long(item, max_s))
    if not planned:
        raise SourceError("The source holds no clips.")
    if cut is None or not any(p.uncut for p in planned):
        return [p.shard for p in planned]
    uncut = [p.shard for p in planned if p.uncut]
    phases.append(run_phase(job, store, engine, uncut, [cut], watcher, "find utterances"))
    return plan_utterances(store, planned, cut, job.shard_size)


def _thresholds(
    way: Way,
    job: Job,
    store: Store,
    engine: Engine,
    shards: Sequence[Shard],
    watcher: Watcher,
    phases: list[Phase],
) -> Mapping[str, object]:
    """The run's thresholds for a calibrated family: as frozen, or from a seeded sample of shards."""
    path = calibration(way.family)
    if store.exists(path):
        frozen: dict[str, object] = json.loads(store.read(path))["thresholds"]
        return frozen
    sample = _sample(shards, job)
    families = job.upstream(measured_families(way))
    ways = [w for w in job.ways if w.family in families]
    phase = run_phase(job, store, engine, sample, ways, watcher, "calibrate")
    phases.append(phase)
    return calibrate(way, job, store, [s for s in sample if s not in phase.given_up])


def calibrate(way: Way, job: Job, store: Store, shards: Sequence[Shard]) -> Mapping[str, object]:
    """Thresholds from the measures of these shards, written to the run so that they stay."""
    cls = _calibrated(way)
    thresholds = dict(cls.calibrate(_measured(cls, job, store, shards), way.options))
    families = measured_families(way)
    record = {
        "thresholds": thresholds,
        "measured_by": sorted(w.key for w in job.ways if w.family in families),
        "shards": [s.name for s in shards],
    }
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    store.write(calibration(way.family), text.encode())
    return thresholds


def measured_families(way: Way) -> tuple[str, ...]:
    """The families whose rows a calibrated way makes thresholds from."""
    return tuple(row.family for row in _calibrated(way).measures)


def _calibrated(way: Way) -> type[CalibratedAnnotator[Any]]:
    assert issubclass(way.cls, CalibratedAnnotator)
    return way.cls


def _measured(
    cls: type[CalibratedAnnotator[Any]], job: Job, store: Store, shards: Sequence[Shard]
) -> Iterator[Clip]:
    families = {row.family for row in cls.measures}
    for shard in shards:
        clips = Clips(read_shard(store, shard))
        for way in job.ways:
            if way.family in families and store.exists(shard.sidecar(way.key)):
                clips.add(way, sidecar.read_rows(store, shard.sidecar(way.key), way.row))
        for i, item in enumerate(clips.items):
            rows = {row: found[i] for row, found in clips.rows.items()}
            yield Clip(item.id, item.audio, item.given.only(frozenset()), rows)


def _sample(shards: Sequence[Shard], job: Job) -> list[Shard]:
    """A seeded sample of about `calibrate_clips` clips, in order."""
    count = max(1, -(-job.calibrate_clips // max(1, shards[0].clips)))
    if count >= len(shards):
        return list(shards)
    return sorted(random.Random(job.seed).sample(list(shards), count))
