"""What a call of annotate would compute, and why, without computing or writing anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from jobs.output import setting
from pipeline import again, layout
from pipeline.engine.flow import frozen, whole_s
from pipeline.errors import SourceError
from pipeline.job import Job
from pipeline.planning import Planned, plan_source, plan_utterances
from pipeline.presence import present
from pipeline.record import plain, read_job
from pipeline.rundir import FAILURES, INDEX, JOB, MANIFEST, SOURCE, Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import Way

NEW = "new clips"
CHANGED = "clips that changed or went away"


@dataclass(slots=True)
class Amount:
    """Of work. `seconds` of speech, as far as the source tells."""

    shards: int = 0
    clips: int = 0
    seconds: float = 0.0

    def add(self, shard: Shard) -> None:
        """One more shard."""
        self.shards += 1
        self.clips += shard.clips
        self.seconds += shard.seconds


@dataclass(slots=True)
class Foreseen:
    """What would be computed, by annotator and reason, and what becomes of the shards.

    `uncut` recordings are looked through first: the clips they are cut into are not known before, and each
    counts as one.
    """

    total: Amount = field(default_factory=Amount)
    uncut: Amount = field(default_factory=Amount)
    new: Amount = field(default_factory=Amount)
    changed: Amount = field(default_factory=Amount)
    back: Amount = field(default_factory=Amount)
    gone: Amount = field(default_factory=Amount)
    work: dict[str, dict[str, Amount]] = field(default_factory=dict)


def foresee(items: Iterable[Item], job: Job, store: Store) -> Foreseen:
    """What annotating these items would come to; SourceError where there are none."""
    planned = plan_source(store, items, job.shard_size, whole_s(job), dry=True)
    if not planned:
        raise SourceError("The source holds no clips.")
    job = frozen(job, store)
    found = Foreseen()
    there = store.names(MANIFEST)  # of clips that went away and come back, too
    before = layout.read(store, SOURCE).shards
    _shards(before, [p.shard for p in planned], there, found)
    known = [p for p in planned if p.shard.manifest in there]
    shards = plan_utterances(store, known, job.cut, job.shard_size, dry=True)
    anew = [p.shard for p in planned if p.shard.manifest not in there]
    shards += anew
    for shard in shards:
        found.total.add(shard)
    _cut(store, job, planned, found)
    indices = {shard.index for shard in before}
    reasons = _Reasons(store, job, {s.name: CHANGED if s.index in indices else NEW for s in anew})
    sidecars = present(store, shards, [way.key for way in job.ways])
    for way in job.ways:
        amounts: dict[str, Amount] = defaultdict(Amount)
        for shard, done in zip(shards, sidecars[way.key], strict=True):
            if not done:
                amounts[reasons.of(way, shard)].add(shard)
        found.work[f"{way.family}-{way.name}"] = dict(amounts)
    return found


def _shards(before: Sequence[Shard], after: Sequence[Shard], there: Set[str], found: Foreseen) -> None:
    """Which of the source's shards are new, come back, have changed, or go wholly."""
    names = {shard.index: shard.name for shard in before}
    for shard in after:
        if shard.index not in names:
            (found.back if shard.manifest in there else found.new).add(shard)
        elif names[shard.index] != shard.name:
            found.changed.add(shard)
    stay = {shard.index for shard in after}
    for shard in before:
        if shard.index not in stay:
            found.gone.add(shard)


def _cut(store: Store, job: Job, planned: Sequence[Planned], found: Foreseen) -> None:
    """The recordings that must be looked through for utterances before anything else."""
    if job.cut is None:
        return
    uncut = [p.shard for p in planned if p.uncut]
    for shard, done in zip(uncut, present(store, uncut, [job.cut.key])[job.cut.key], strict=True):
        if not done:
            found.uncut.add(shard)


class _Reasons:
    """Why a shard has no sidecar of a way."""

    def __init__(self, store: Store, job: Job, anew: Mapping[str, str]) -> None:
        self._anew = anew
        self._before = {shard.index: shard.name for shard in layout.read(store, INDEX).shards}
        self._failures = store.names(FAILURES)
        self._marks = again.marked(store)
        record = read_job(store) if store.exists(JOB) else {"annotators": {}}
        self._entries = {(f, str(e["use"])): e for f, ways in record["annotators"].items() for e in ways}
        self._ignored, self._kept = bool(record.get("ignore_given")), frozenset(record.get("keep_given", ()))
        changed: set[str] = set()
        self._changes: dict[str, str] = {}
        for way in job.ways:
            if text := self._change(way, changed):
                self._changes[way.key] = text
                changed.add(way.family)

    def of(self, way: Way, shard: Shard) -> str:
        """In a few words."""
        if shard.name in self._anew:
            return self._anew[shard.name]
        if shard.index not in self._before:
            return NEW
        if self._before[shard.index] != shard.name:
            return CHANGED
        if way.key in self._changes:
            return self._changes[way.key]
        if shard.again(way.key) in self._marks:
            return "to be computed again"
        return "given up before" if shard.failure in self._failures else "not done yet"

    def _change(self, way: Way, changed: set[str]) -> str:
        """What is another since the last call; nothing where the way is the same."""
        entry = self._entries.get((way.family, way.name))
        if entry is None:
            return "not in the job before" if self._entries else ""
        if entry["fingerprint"] == way.fingerprint:
            return ""
        differ = [*_differences(way, entry), *self._sight(way)]
        reads = sorted({*way.needs, *way.wants} & changed)
        if reads:
            differ.append(f"reads {', '.join(reads)}")
        return "changed: " + "; ".join(differ or ["what it depends on"])

    def _sight(self, way: Way) -> list[str]:
        """What of the given it sees now and did not before, or the other way round."""
        before = way.cls.sees & self._kept if self._ignored else way.cls.sees
        told = (
            ("the given {} counts again", way.sees - before),
            ("--ignore-given hides {}", before - way.sees),
        )
        return [text.format(", ".join(sorted(names))) for text, names in told if names]


def _differences(way: Way, entry: Mapping[str, Any]) -> list[str]:
    """Of a way and what job.yaml has of it."""
    found = []
    if entry["version"] != way.cls.version:
        found.append(f"version {entry['version']} to {way.cls.version}")
    now, before = plain(dict(way.options)), entry["options"]
    found += [
        f"{name} {setting(before.get(name))} to {setting(now[name])}"
        if name != "thresholds"
        else "thresholds"
        for name in now
        if now[name] != before.get(name)
    ]
    if entry["models"] != plain(way.provenance()["models"]):
        found.append("models")
    return found
