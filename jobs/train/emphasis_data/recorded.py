"""What a finished run says of a clip, found by its id."""

from __future__ import annotations

from jobs.runs import Run
from pipeline.clip import Absent, Clip
from pipeline.errors import ClipError
from pipeline.manifest import read_ids, read_shard
from pipeline.rows import Emotion, Labels, Language, Row, Speaker, Topic, Transcript, Words
from pipeline.rundir import Shard
from pipeline.source.base import Item

READ: tuple[type[Row], ...] = (Words, Transcript, Language, Speaker, Emotion, Labels, Topic)


class Recorded:
    """A run, read shard by shard: clips asked for in the run's order cost one reading of each shard."""

    def __init__(self, url: str) -> None:
        self._run = Run.open(url)
        self._at = 0
        self._clips: dict[str, Clip] = {}

    def clip(self, id: str) -> Clip:
        """The clip with the rows of READ; ClipError where the run has no such clip."""
        shards = self._run.shards
        if id not in self._clips:
            for step in range(len(shards)):
                at = (self._at + step) % len(shards)
                if id in read_ids(self._run.store, shards[at]):
                    self._at, self._clips = at, self._read(shards[at])
                    break
            else:
                raise ClipError("not_in_run", "The run no longer holds this clip.")
        return self._clips[id]

    def _read(self, shard: Shard) -> dict[str, Clip]:
        items = read_shard(self._run.store, shard)
        rows: list[dict[type[Row], Row | Absent]] = [{} for _ in items]
        for way in reversed(self._run.ways):  # the first way of a family is read last and stands
            if way.row in READ:
                for known, row in zip(rows, self._run.rows(shard, way), strict=True):
                    if isinstance(row, Row) or way.row not in known:
                        known[way.row] = row
        return {item.id: _clip(item, known) for item, known in zip(items, rows, strict=True)}


def _clip(item: Item, rows: dict[type[Row], Row | Absent]) -> Clip:
    return Clip(item.id, item.audio, item.given, rows)
