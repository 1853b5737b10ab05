"""A run from source to dataset. To resume is to run it again: what exists is not computed again."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from pipeline import again, journal_store, sidecar
from pipeline.annotator import CalibratedAnnotator
from pipeline.clip import Clip
from pipeline.counting import counted
from pipeline.engine.base import Engine
from pipeline.engine.driver import Phase, run_phase
from pipeline.engine.packer import Packer
from pipeline.engine.plan import Plan
from pipeline.engine.tolerance import Tolerance
from pipeline.engine.watcher import Watcher, Watchers
from pipeline.engine.work import Clips
from pipeline.engine.worker import Report
from pipeline.errors import RunError, SourceError
from pipeline.job import Job
from pipeline.join import Joined, join
from pipeline.layout import read_index
from pipeline.lease import Lease, held
from pipeline.manifest import read_shard
from pipeline.planning import Planned, plan_source, plan_utterances
from pipeline.presence import present
from pipeline.record import write_job
from pipeline.review import amend
from pipeline.review.reviewed import Reviewed
from pipeline.rundir import FAILURES, Shard, calibration
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import Way


@dataclass(slots=True)
class Outcome:
    """What a run did. `job` is the one that ran, thresholds included."""

    job: Job
    shards: list[Shard]
    joined: Joined
    phases: list[Phase] = field(default_factory=list)
    given_up: list[Shard] = field(default_factory=list)


def annotate(
    items: Iterable[Item],
    job: Job,
    store: Store,
    engine: Engine,
    watcher: Watcher,
    source: str = "",
    *,
    take_over: bool = False,
) -> Outcome:
    """Annotate every item and write the dataset. `take_over`: from whoever else holds the run directory.

    Raises UsageError for what cannot be done; whatever ends it, finished sidecars stay and the same
    call goes on behind them.
    """
    _check((*job.ways, *([job.cut] if job.cut else [])))
    store.prepare()
    with _holding(store, watcher, take_over=take_over) as watching:
        return _annotate(items, job, store, engine, watching, source)


def go_on(
    job: Job,
    store: Store,
    engine: Engine,
    watcher: Watcher,
    source: str = "",
    *,
    take_over: bool = False,
) -> Outcome:
    """Annotate what is missing of the shards that an earlier call planned; the source is not read again.

    Raises RunError if none were planned, else as `annotate`.
    """
    _check(job.ways)
    with _holding(store, watcher, take_over=take_over) as watching:
        shards = read_index(store)
        if not shards:
            raise RunError(f"No shards of {store.url} are planned yet: annotate it first.")
        return _annotate_shards(shards, frozen(job, store), store, engine, watching, source, [])


def _annotate(
    items: Iterable[Item], job: Job, store: Store, engine: Engine, watcher: Watcher, source: str
) -> Outcome:
    phases: list[Phase] = []
    watcher.doing("plan")
    planned = _plan(items, job, store)
    job = frozen(job, store)
    write_job(store, job, source)
    shards = _cut(planned, job, store, engine, watcher, phases)
    return _annotate_shards(shards, job, store, engine, watcher, source, phases)


def _annotate_shards(
    shards: list[Shard],
    job: Job,
    store: Store,
    engine: Engine,
    watcher: Watcher,
    source: str,
    phases: list[Phase],
) -> Outcome:
    tolerance = Tolerance(job, shards, store, watcher)
    counted = Watchers([watcher, tolerance])
    given_up = {s for phase in phases for s in phase.given_up}
    for way in job.uncalibrated():
        job = job.with_thresholds(way.family, _thresholds(way, job, store, engine, shards, counted, phases))
        write_job(store, job, source)
    for way in job.ways:
        store.sweep(way.key)
        if way.asks:
            journal_store.sweep(store, way.key)
    again.sweep(store, shards, [way.key for way in job.ways])
    with Packer(store, shards) as packer:
        seen = Watchers([counted, packer])
        phases.append(run_phase(job, store, engine, shards, job.ways, seen, "annotate"))
    given_up.update(phases[-1].given_up)  # what was given up while calibrating has been tried again
    phase, reviewed = _amend(job, store, engine, shards, watcher)
    phases.append(phase)
    given_up.update(phase.given_up)
    _forget_old_failures(store, given_up)
    watcher.doing("join")
    joined = join(store, job, shards, reviewed)
    tolerance.judge(joined.failed, len(given_up), Counter(joined.causes))
    return Outcome(job, shards, joined, phases, sorted(given_up))


def amended(job: Job, store: Store, engine: Engine, watcher: Watcher) -> Joined:
    """The dataset of a finished run as people left it: only what their corrections reach is computed."""
    with _holding(store, watcher) as watching:
        shards = read_index(store)
        _check_finished(store, job, shards)
        _check(_missing(store, job, amend.plan(store, job, shards, amend.said(store))))
        return join(store, job, shards, _amend(job, store, engine, shards, watching)[1])


def _check_finished(store: Store, job: Job, shards: Sequence[Shard]) -> None:
    """RunError where rows are still to be computed: to join now would make failures of them."""
    there = present(store, shards, [way.key for way in job.ways])
    failures, marks = store.names(FAILURES), again.marked(store)
    left = sum(
        any(
            not there[way.key][i] and (shard.failure not in failures or shard.again(way.key) in marks)
            for way in job.ways
        )
        for i, shard in enumerate(shards)
    )
    if left:
        raise RunError(
            f"{left:,} of the {counted(len(shards), 'shard')} of {store.url} "
            f"{'is' if left == 1 else 'are'} not finished: "
            f"`speechcraft retry {store.url}` computes what is missing."
        )


def _missing(store: Store, job: Job, shards: Sequence[Shard]) -> list[Way]:
    there = present(store, shards, [way.key for way in job.ways])
    return [way for way in job.ways if not there[way.key].all()]


def _amend(
    job: Job, store: Store, engine: Engine, shards: Sequence[Shard], watcher: Watcher
) -> tuple[Phase, Reviewed]:
    """What people have said by now, annotated; of what they say meanwhile the next call takes notice."""
    said = amend.said(store)
    corrected = amend.plan(store, job, shards, said)
    phase = run_phase(job, store, engine, corrected, job.ways, watcher, "amend")
    return phase, Reviewed(said, corrected)


def _check(ways: Iterable[Way]) -> None:
    """Prove, before any worker starts, that what they need is there."""
    for way in ways:
        way.cls.check(way.options)


@contextmanager
def _holding(store: Store, watcher: Watcher, *, take_over: bool = False) -> Iterator[Watcher]:
    """No other driver at work in the run directory; the watcher, which looks whether it stays so."""
    with held(store, take_over=take_over) as lease:
        yield Watchers([_Holding(lease), watcher])


class _Holding(Watcher):
    """Ends the run once somebody else has taken it over: RunError."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def doing(self, what: str) -> None:
        """Looks at the lease."""
        self._lease.check()

    def report(self, plan: Plan, report: Report) -> None:
        """Looks at the lease."""
        self._lease.check()


def _forget_old_failures(store: Store, given_up: Iterable[Shard]) -> None:
    current = {shard.failure for shard in given_up}
    for name in store.names(FAILURES):
        if name not in current:
            store.remove(name)


def _plan(items: Iterable[Item], job: Job, store: Store) -> list[Planned]:
    planned = plan_source(store, items, job.shard_size, whole_s(job))
    if not planned:
        raise SourceError("The source holds no clips.")
    return planned


def whole_s(job: Job) -> float:
    """How long a recording may be that is not cut."""
    return float("inf") if job.cut is None else float(str(job.cut.options["whole_s"]))


def _cut(
    planned: Sequence[Planned],
    job: Job,
    store: Store,
    engine: Engine,
    watcher: Watcher,
    phases: list[Phase],
) -> list[Shard]:
    uncut = [p.shard for p in planned if p.uncut]
    if job.cut is not None and uncut:
        phases.append(run_phase(job, store, engine, uncut, [job.cut], watcher, "find utterances"))
    return plan_utterances(store, planned, job.cut, job.shard_size)


def frozen(job: Job, store: Store) -> Job:
    """The job with the thresholds that an earlier call froze with the run."""
    for way in job.uncalibrated():
        path = calibration(way.family)
        if store.exists(path):
            job = job.with_thresholds(way.family, json.loads(store.read(path))["thresholds"])
    return job


def _thresholds(
    way: Way,
    job: Job,
    store: Store,
    engine: Engine,
    shards: Sequence[Shard],
    watcher: Watcher,
    phases: list[Phase],
) -> Mapping[str, object]:
    """The run's thresholds for a calibrated family, from a seeded sample of shards."""
    sample = _sample(shards, job)
    families = job.upstream(measured_families(way))
    ways = [w for w in job.ways if w.family in families]
    phase = run_phase(job, store, engine, sample, ways, watcher, "calibrate")
    phases.append(phase)
    return calibrate(way, job, store, [s for s in sample if s not in phase.given_up])


def calibrate(way: Way, job: Job, store: Store, shards: Sequence[Shard]) -> Mapping[str, object]:
    """Thresholds from the measures of these shards, written to the run so that they stay.

    Those of a sample in which nothing could be measured are not written. Raises RunError where there are
    none.
    """
    cls = _calibrated(way)
    clips = (c for c in _measured(cls, job, store, shards) if any(c.maybe(row) for row in cls.measures))
    first = list(islice(clips, 1))
    families = measured_families(way)
    record = {
        "thresholds": dict(cls.calibrate(chain(first, clips), way.options)),
        "measured_by": sorted(w.key for w in job.ways if w.family in families),
        "shards": [s.name for s in shards],
        "clips": sum(s.clips for s in shards),
    }
    try:
        text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise RunError(f"The clips measured give no thresholds for {way.family}: {error}.") from error
    if first:
        store.write(calibration(way.family), text.encode())
    thresholds: dict[str, object] = json.loads(text)["thresholds"]
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
    ways = [way for way in job.ways if way.family in families]
    there = present(store, shards, [way.key for way in ways])
    for number, shard in enumerate(shards):
        clips = Clips(read_shard(store, shard))
        for way in ways:
            if there[way.key][number]:
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
