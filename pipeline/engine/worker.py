"""What a process does with a shard: read what is known, annotate, write sidecars.

A worker needs nothing but the shard's number: it reads sound and earlier rows from the run
directory itself, so that a retry, another process or another machine can do the same.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from pipeline import manifest, sidecar, sounds
from pipeline.annotator import Annotator
from pipeline.engine.work import Clips, Guard, Result, run_way, unguarded
from pipeline.errors import LoadError, ShardError, UsageError
from pipeline.job import ENHANCE, SOUND, Job, Way
from pipeline.journal import Journal
from pipeline.journal_store import opened
from pipeline.rundir import Shard
from pipeline.storage import Store


@dataclass(frozen=True, slots=True)
class Task:
    """Some annotators over one shard. `alone`: in a process of its own, clip by clip."""

    shard: Shard
    keys: tuple[str, ...]
    alone: bool = False


@dataclass(slots=True)
class Tally:
    """What one way did of one or many shards."""

    ok: int = 0
    skipped: int = 0
    failed: int = 0
    compute_s: float = 0.0
    causes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.ok += other.ok
        self.skipped += other.skipped
        self.failed += other.failed
        self.compute_s += other.compute_s
        self.causes.update(other.causes)


@dataclass(frozen=True, slots=True)
class Report:
    """A finished task: small, whatever the shard's size."""

    task: Task
    seconds: float
    tallies: dict[str, Tally]


class Worker:
    """Annotates shards of one job. Annotators are loaded once, when first asked for."""

    def __init__(self, job: Job, store: Store, guard: Guard = unguarded) -> None:
        self.store = store
        self.guard = guard
        self._built: dict[str, Annotator[Any]] = {}
        self._ways: dict[str, Way] = {}
        self.take(job)

    def take(self, job: Job) -> None:
        """Work on another job from now on; what both have in common stays loaded."""
        self.job = job
        before = self._ways
        self._ways = {w.key: w for w in (*job.ways, *([job.cut] if job.cut else []))}
        same = {key for key, way in self._ways.items() if before.get(key) == way}
        self._built = {key: built for key, built in self._built.items() if key in same}

    def run(self, task: Task) -> Report:
        """Annotate one shard and write its sidecars, each complete under its final name."""
        ways = self.ways(task)
        clips = self.load(task.shard, ways)
        tallies = {}
        for way in ways:
            started = time.perf_counter()
            with self.journal(task.shard, way) as journal:
                result = run_way(self.annotator(way), way, clips, self.guard, journal)
            tallies[way.key] = self.keep(task.shard, way, clips, result, time.perf_counter() - started)
        seconds = task.shard.seconds
        if SOUND in clips.sounds:
            seconds = sum(clips.seconds(i) for i in range(len(clips.items)))
        return Report(task, seconds, tallies)

    def ways(self, task: Task) -> list[Way]:
        """The task's ways, in dependency order."""
        return [way for key, way in self._ways.items() if key in task.keys]

    def annotator(self, way: Way) -> Annotator[Any]:
        """The annotator of a way, loaded; LoadError if it cannot be."""
        if way.key not in self._built:
            try:
                with self.guard(way, [], 0.0):
                    self._built[way.key] = way.build()
            except UsageError:
                raise
            except Exception as error:
                reason = " ".join(str(error).split()) or "no reason given"
                raise LoadError(
                    f"{way.family}={way.name} cannot be loaded: {type(error).__name__}: {reason:.300}"
                ) from error
        return self._built[way.key]

    def journal(self, shard: Shard, way: Way) -> AbstractContextManager[Journal]:
        """What was answered of the shard already, if the way asks a service; else an empty one."""
        return opened(self.store, shard.answers(way.key)) if way.asks else nullcontext(Journal())

    def load(self, shard: Shard, ways: Sequence[Way]) -> Clips:
        """The shard's clips with every row and sound these ways read and do not make themselves.

        Sound that was not kept is made again, from the rows that were read when it was first made.
        """
        clips = Clips(manifest.read_shard(self.store, shard))
        if len(clips.items) != shard.clips:
            raise ShardError(f"{shard.manifest} holds {len(clips.items)} clips, not {shard.clips}.")
        old = [w for w in self.job.ways if w.key not in {way.key for way in ways}]
        listened = {f for w in ways if w.cls.hears for f in (*w.needs, *w.wants)} & {SOUND, ENHANCE}
        heard = [w for w in old if w.family in listened]
        remade = [w for w in heard if not self.store.exists(shard.sound(w.key))]
        read = {f for w in (*ways, *remade) for f in (*w.needs, *w.wants)}
        for way in old:
            if way.family in read:
                rows = sidecar.read_rows(self.store, shard.sidecar(way.key), way.row)
                clips.add(way, rows)
        for way in heard:
            if way in remade:
                made = run_way(self.annotator(way), way, clips, self.guard).sounds
                clips.add_sounds(way, made or [])
            else:
                clips.add_sounds(way, sounds.read(self.store, shard.sound(way.key)))
        return clips

    def keep(self, shard: Shard, way: Way, clips: Clips, result: Result, seconds: float) -> Tally:
        """Write what a way found, the sound before the rows that speak of it, and show it to later ways."""
        ids = [item.id for item in clips.items]
        if result.sounds is not None:
            clips.add_sounds(way, result.sounds)
            if self.job.keep_sound:
                sounds.write(self.store, shard.sound(way.key), ids, result.sounds)
        table = sidecar.to_table(way.row, ids, result.outcomes)
        facts = way.provenance() | {
            "manifest_hash": shard.hash,
            "host": platform.node(),
            "compute_s": round(seconds, 3),
        }
        sidecar.write(self.store, shard.sidecar(way.key), table, facts)
        if way.asks:
            self.store.remove(shard.answers(way.key))
        rows = result.rows()
        clips.add(way, rows)
        return tally(rows, seconds)


def tally(rows: Sequence[object], seconds: float) -> Tally:
    """Count rows and the causes of failed ones."""
    found = Tally(compute_s=seconds)
    for row in rows:
        status = getattr(row, "status", sidecar.OK)
        if status == sidecar.OK:
            found.ok += 1
        elif status == sidecar.SKIPPED:
            found.skipped += 1
        else:
            found.failed += 1
            found.causes[getattr(row, "error", "").partition(":")[0]] += 1
    return found
