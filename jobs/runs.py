"""A run directory as later commands read it: from its own record, without its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import annotators
from pipeline import sidecar, sounds
from pipeline.annotator import SoundAnnotator
from pipeline.clip import Absent
from pipeline.errors import RunError
from pipeline.layout import read_index, read_long
from pipeline.manifest import read_ids, read_shard
from pipeline.record import read_job
from pipeline.review import amend
from pipeline.review.corrections import corrected
from pipeline.rows import Row
from pipeline.rundir import AGAIN, FAILURES, Shard
from pipeline.sounds import Pcm
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import CUT, ENHANCE, SOUND


@dataclass(frozen=True, slots=True)
class RunWay:
    """One annotator of a run, as job.yaml tells it."""

    family: str
    name: str
    key: str
    row: type[Row]
    makes_sound: bool


@dataclass(frozen=True, slots=True)
class WayName:
    """One annotator of a run by name alone: nothing of it is imported."""

    family: str
    name: str
    key: str
    optional: bool

    @property
    def shown(self) -> str:
        """How tables name it."""
        return f"{self.family}-{self.name}"


@dataclass(frozen=True)
class Run:
    """A run: its record, its shards, and what lies in its folder. RunError where there is none."""

    store: Store
    record: Mapping[str, Any]

    @classmethod
    def open(cls, url: str) -> Run:
        """The run in that directory."""
        store = Store(url)
        return cls(store, read_job(store))

    @cached_property
    def shards(self) -> list[Shard]:
        """The current shards."""
        return read_index(self.store)

    @cached_property
    def names(self) -> set[str]:
        """Every finished file."""
        return self.store.names()

    @property
    def marked(self) -> bool:
        """Whether rows are to be computed again."""
        return any(name.startswith(f"{AGAIN}/") for name in self.names)

    @property
    def given_up(self) -> list[str]:
        """The files that say why shards were given up."""
        return sorted(name for name in self.names if name.startswith(f"{FAILURES}/"))

    @cached_property
    def way_names(self) -> list[WayName]:
        """The annotators, in the order they run; recordings are cut before and not among them."""
        return [way for way in self.all_names if way.family != CUT]

    @cached_property
    def all_names(self) -> list[WayName]:
        """The annotators, with that which cuts recordings."""
        return [
            WayName(family, e["use"], _key(family, e), e.get("optional", False))
            for family, entries in self.record["annotators"].items()
            for e in entries
        ]

    @cached_property
    def uncut(self) -> list[Shard]:
        """The shards of the source in which recordings were to be cut; none where the job cuts nothing."""
        entries = self.record["annotators"].get(CUT, ())
        return read_long(self.store, float(entries[0]["options"]["whole_s"])) if entries else []

    @cached_property
    def ways(self) -> list[RunWay]:
        """The annotators, in the order they run; recordings are cut before and not among them."""
        return [
            _way(family, entry)
            for family, entries in self.record["annotators"].items()
            for entry in entries
            if family != CUT
        ]

    @cached_property
    def corrected(self) -> dict[str, tuple[Shard, int, Item]]:
        """Clips that people corrected, by id: the shard that holds them annotated again, and their place."""
        shards = amend.read_shards(self.store)
        return {
            item.id: (shard, i, item)
            for shard in shards
            for i, item in enumerate(read_shard(self.store, shard))
        }

    def rows(self, shard: Shard, way: RunWay) -> list[Row | Absent]:
        """What a way found of a shard, as people left it."""
        rows = self.found(shard, way)
        if not self.corrected:
            return rows
        for i, clip in enumerate(read_ids(self.store, shard)):
            if clip in self.corrected:
                again, k, item = self.corrected[clip]
                rows[i] = corrected(way.row, self.found(again, way)[k], item.corrections)
        return rows

    def found(self, shard: Shard, way: RunWay) -> list[Row | Absent]:
        """What a way found of a shard by itself."""
        path = shard.sidecar(way.key)
        if path not in self.names:
            return [Absent("missing", "not annotated yet")] * shard.clips
        return sidecar.read_rows(self.store, path, way.row)

    def sound(self, shard: Shard) -> tuple[list[Pcm | None], list[Pcm | None]]:
        """The raw and the heard sound of a shard; None where it was not kept."""
        raw = self._sound_of(shard, SOUND)
        enhanced = self._sound_of(shard, ENHANCE)
        return raw, [e or r for e, r in zip(enhanced, raw, strict=True)]

    def find(self, clip_id: str) -> tuple[Shard, int, Item]:
        """Where a clip stands; RunError if it is not in the run."""
        for shard in self.shards:
            ids = read_ids(self.store, shard)
            if clip_id in ids:
                i = ids.index(clip_id)
                return shard, i, read_shard(self.store, shard)[i]
        raise RunError(f"There is no clip {clip_id!r} in {self.store.url}.")

    def items(self) -> Iterator[tuple[Shard, list[Item]]]:
        """Every shard with its clips."""
        for shard in self.shards:
            yield shard, read_shard(self.store, shard)

    def _sound_of(self, shard: Shard, family: str) -> list[Pcm | None]:
        for way in self.ways:
            if way.family == family and way.makes_sound and shard.sound(way.key) in self.names:
                return sounds.read(self.store, shard.sound(way.key))
        return [None] * shard.clips


def _way(family: str, entry: Mapping[str, Any]) -> RunWay:
    cls = annotators.load(family, entry["module"])
    return RunWay(family, entry["use"], _key(family, entry), cls.row, issubclass(cls, SoundAnnotator))


def _key(family: str, entry: Mapping[str, Any]) -> str:
    return f"{family}-{entry['use']}@{entry['fingerprint']}"
