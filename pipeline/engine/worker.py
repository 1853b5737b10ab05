"""What a process does with a shard: read what is known, annotate, write sidecars.

A worker needs nothing but the shard's number: it reads sound and earlier rows from the run
directory itself, so that a retry, another process or another machine can do the same.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from pipeline import again, manifest, parquet, sidecar, sounds
from pipeline.annotator import Annotator, AskingAnnotator, Away
from pipeline.clip import Clip
from pipeline.engine.tally import Cost, Failure, Tally, failures_of, in_queue_s, measured, tally
from pipeline.engine.work import Clips, Found, Guard, Result, run_way, unguarded
from pipeline.errors import ClipError, LoadError, ShardError, UsageError
from pipeline.job import Job
from pipeline.journal import Journal
from pipeline.journal_store import opened
from pipeline.rows import Sound
from pipeline.rundir import Shard
from pipeline.storage import Store
from pipeline.way import ENHANCE, SOUND, Way

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """Some annotators over one shard. `alone`: in a process of its own, clip by clip.

    `attempt` counts from 1. `again`: the keys of which some rows stand already.
    """

    shard: Shard
    keys: tuple[str, ...]
    alone: bool = False
    attempt: int = 1
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A finished task: its tallies by the way's key, and the clips that failed."""

    task: Task
    seconds: float
    tallies: dict[str, Tally]
    failures: tuple[Failure, ...] = ()
    busy_s: float = 0.0
    """All of the task's time in its process, reading and writing as well, but not loading, nor waiting for a
    service that does not answer."""
    queued_s: float = 0.0
    """Of it, spent waiting for a core that others used."""


class Unloadable(Annotator[Any]):
    """In the place of an optional annotator that cannot be loaded."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def annotate(self, clips: Sequence[Clip]) -> list[ClipError]:
        """The reason, for every clip."""
        return [ClipError("unloadable", self._reason) for _ in clips]


class Worker:
    """Annotates shards of one job. Annotators are loaded once, when first asked for."""

    def __init__(self, job: Job, store: Store, guard: Guard = unguarded) -> None:
        self.store = store
        self.guard = guard
        self._built: dict[str, Annotator[Any]] = {}
        self._ways: dict[str, Way] = {}
        self._provenance: dict[str, dict[str, object]] = {}  # models far away are not asked for each shard
        self._has_grown = False
        self.take(job)

    def take(self, job: Job) -> None:
        """Work on another job from now on; what both have in common stays loaded."""
        self.job = job
        before = self._ways
        self._ways = {w.key: w for w in (*job.ways, *([job.cut] if job.cut else []))}
        same = {key for key, way in self._ways.items() if before.get(key) == way}
        if not self._built.keys() <= same:
            self._built = {key: built for key, built in self._built.items() if key in same}
            gc.unfreeze()
            self._has_grown = True

    def run(self, task: Task) -> Report:
        """Annotate one shard and write its sidecars, each complete under its final name."""
        self._settle()
        started, idle_s = time.perf_counter(), 0.0
        queued_s = -in_queue_s()
        ways = self.ways(task)
        clips = self.load(task.shard, ways)
        tallies: dict[str, Tally] = {}
        failures: list[Failure] = []
        stood: dict[str, Collection[int]] = {}
        for way in ways:
            with measured() as load:
                annotator = self.annotator(way)
            with measured() as cost, self.journal(task.shard, way) as journal:
                kept = self.kept(task, way, clips)
                before_s = _waited_s(annotator)
                result = run_way(annotator, way, clips, self.guard, journal, kept)
                cost.waited_s = _waited_s(annotator) - before_s
            stood[way.key] = kept
            idle_s += load.seconds + cost.waited_s
            queued_s -= load.queued_s
            tallies[way.key] = self.keep(task.shard, way, clips, result, cost, load.seconds, kept)
            failures += failures_of(way, [item.id for item in clips.items], result.outcomes)
            self.forget_mark(task, way)
        busy_s = time.perf_counter() - started - idle_s
        report = self.report(task, clips, tallies, failures, stood)
        return replace(report, busy_s=busy_s, queued_s=queued_s + in_queue_s())

    def _settle(self) -> None:
        """Look for garbage no more among what annotators loaded by the end of their first shard.

        Walking through a caption check's lexicons again and again was 8 % of its time.
        """
        if self._has_grown:
            gc.collect()
            gc.freeze()
            self._has_grown = False

    def ways(self, task: Task) -> list[Way]:
        """The task's ways, in dependency order."""
        return [way for key, way in self._ways.items() if key in task.keys]

    def annotator(self, way: Way) -> Annotator[Any]:
        """The annotator of a way, loaded; LoadError if it cannot be, or one that fails on all if optional."""
        if way.key not in self._built:
            self._has_grown = True
            try:
                with self.guard(way, [], 0.0):
                    self._built[way.key] = way.build()
            except UsageError:
                raise
            except Exception as error:
                reason = " ".join(str(error).split()) or "no reason given"
                broken = LoadError(
                    f"{way.family}={way.name} cannot be loaded: {type(error).__name__}: {reason:.300}"
                )
                if not way.optional:
                    raise broken from error
                log.warning("%s", broken)
                self.do_without(way, str(broken))
        return self._built[way.key]

    def do_without(self, way: Way, reason: str) -> None:
        """Take the way's annotator for one that cannot be loaded."""
        self.take_for(way, Unloadable(reason))

    def take_for(self, way: Way, annotator: Annotator[Any]) -> None:
        """Have this one annotate in the way's place."""
        self._built[way.key] = annotator

    def away(self) -> tuple[Away, ...]:
        """The services that its annotators wait for; may be called from another thread."""
        asking = [built for built in list(self._built.values()) if isinstance(built, AskingAnnotator)]
        return tuple(one for annotator in asking for one in annotator.away())

    def kept(self, task: Task, way: Way, clips: Clips) -> Mapping[int, Found]:
        """What stands of a way's rows, by the clip's place.

        A killed driver's workers live on for some seconds, and may finish a shard after the next driver has
        planned it: what they were answered is not asked again. To be called with the journal open, which
        goes when the sidecar is there.
        """
        sidecar_path = task.shard.sidecar(way.key)
        if way.key in task.again:
            path = task.shard.again(way.key)
        elif way.asks and self.store.exists(sidecar_path):
            path = sidecar_path
        else:
            return {}
        return again.kept(self.store, task.shard, way, [item.id for item in clips.items], path)

    def forget_mark(self, task: Task, way: Way) -> None:
        """What was to be computed again is: its sidecar is written."""
        if way.key in task.again:
            self.store.remove_plain([task.shard.again(way.key)])

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

    def keep(
        self,
        shard: Shard,
        way: Way,
        clips: Clips,
        result: Result,
        cost: Cost,
        load_s: float = 0.0,
        stands: Collection[int] = (),
    ) -> Tally:
        """Write what a way found, the sound before the rows that speak of it, and show it to later ways.

        The tally is of the clips that the way was at work on: not of those whose rows stood already.
        """
        ids = [item.id for item in clips.items]
        if result.sounds is not None:
            clips.add_sounds(way, result.sounds)
            if self.job.keep_sound:
                sounds.write(self.store, shard.sound(way.key), ids, result.sounds)
        table = sidecar.to_table(way.row, ids, result.outcomes)
        if way.key not in self._provenance:
            self._provenance[way.key] = way.provenance()
        facts = self._provenance[way.key] | {"manifest_hash": shard.hash}
        sidecar.write(self.store, shard.sidecar(way.key), table, facts)
        if way.asks:
            self.store.remove(shard.answers(way.key))
        rows = result.rows()
        clips.add(way, rows)
        return tally([row for i, row in enumerate(rows) if i not in stands], cost, load_s)

    def report(
        self,
        task: Task,
        clips: Clips,
        tallies: dict[str, Tally],
        failures: Sequence[Failure],
        stood: Mapping[str, Collection[int]],
    ) -> Report:
        """The report of a task. A way was at work on all clips but those that `stood`, by their places."""
        lengths_s = self._lengths_s(task, clips)
        for key, found in tallies.items():
            found.speech_s = sum(s for i, s in enumerate(lengths_s) if i not in stood[key])
        seconds = max((found.speech_s for found in tallies.values()), default=0.0)
        return Report(task, seconds, tallies, tuple(failures))

    def _lengths_s(self, task: Task, clips: Clips) -> list[float]:
        """The sound of each clip: what was decoded now, else what the source tells, else what was before."""
        if SOUND in clips.sounds:
            return [clips.seconds(i) for i in range(len(clips.items))]
        told = [item.audio.span_s or item.recording_s or 0.0 for item in clips.items]
        if all(told) or (self.job.cut is not None and self.job.cut.key in task.keys):
            return told
        for path in (task.shard.sidecar(way.key) for way in self.job.of(SOUND) if way.row is Sound):
            with suppress(FileNotFoundError):
                decoded = parquet.read(self.store, path, ["duration_s"]).column("duration_s").to_pylist()
                told = [a or b or 0.0 for a, b in zip(told, decoded, strict=True)]
        return told


def _waited_s(annotator: Annotator[Any]) -> float:
    return annotator.waited_s() if isinstance(annotator, AskingAnnotator) else 0.0
