"""Rows to be computed again, without the others of their shard.

`again/<key>/<shard>.parquet` holds those that stand.
While that file is there and the sidecar is not, the next run computes the missing rows only. Nothing but
the order of writing and removing is needed to survive a kill: what stands is written first, sidecars go after
it, those made from others before those they were made from.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import parquet, sidecar, sounds
from pipeline.annotator import Skip
from pipeline.clip import Absent
from pipeline.engine.work import Found
from pipeline.errors import ClipError
from pipeline.presence import present
from pipeline.rows import Row
from pipeline.rundir import AGAIN, Shard
from pipeline.sidecar import SKIPPED, Outcome
from pipeline.storage import Store
from pipeline.way import Way

_CODES = b"speechcraft.codes"


def standing(names: Collection[str], shard: Shard, key: str) -> str | None:
    """The file with the rows of a way that stand now, of those named; none where all are missing."""
    return next((path for path in (shard.sidecar(key), shard.again(key)) if path in names), None)


def mark(
    store: Store, shard: Shard, path: str, key: str, clips: Collection[str], codes: Collection[str] = ()
) -> int:
    """Write what stands of the rows in `path` when those of these clips go; how many go.

    `codes` say what they failed for, themselves or what they were made from: the rows are gone that said it.
    """
    table = parquet.read(store, path)
    hit = pc.is_in(table.column("id"), value_set=pa.array(sorted(clips), pa.string()))
    left = table.filter(pc.invert(hit))
    if path != shard.again(key) or left.num_rows < table.num_rows:
        facts = dict(table.schema.metadata or {})
        said = sorted({*codes, *json.loads(facts.get(_CODES, b"[]"))})
        facts[_CODES] = json.dumps(said).encode()
        parquet.write(store, shard.again(key), left.replace_schema_metadata(facts))
    return table.num_rows - left.num_rows


def codes(store: Store) -> set[str]:
    """What the rows that are to be computed again had failed for."""
    return {
        code
        for path in marked(store)
        for code in json.loads(parquet.metadata(store, path).get(_CODES, b"[]"))
    }


def marked(store: Store) -> frozenset[str]:
    """The files of all marks; one listing."""
    return frozenset(store.names(AGAIN))


def kept(store: Store, shard: Shard, way: Way, ids: Sequence[str], path: str) -> dict[int, Found]:
    """What stands of a way in a shard, by the clip's place: the rows in `path`, a mark or a sidecar.

    Nothing where the way makes sound that was not kept: sound is made for all clips, or for none.
    """
    made: list[sounds.Pcm | None] = [None] * len(ids)
    if way.makes_sound:
        if not store.exists(shard.sound(way.key)):
            return {}
        made = sounds.read(store, shard.sound(way.key))
    place = {name: i for i, name in enumerate(ids)}
    names = parquet.read(store, path, ["id"]).column("id").to_pylist()
    rows = sidecar.read_rows(store, path, way.row)
    return {(i := place[str(n)]): (_outcome(row), made[i]) for n, row in zip(names, rows, strict=True)}


def sweep(store: Store, shards: Sequence[Shard], keys: Sequence[str]) -> None:
    """Remove the marks of what has been computed again since, which a kill left behind."""
    left = marked(store)
    for key in keys:
        of_key = [shard for shard in shards if shard.again(key) in left] if left else []
        if of_key:
            done = present(store, of_key, [key])[key]
            store.remove_plain([shard.again(key) for shard, there in zip(of_key, done, strict=True) if there])


def _outcome(row: Row | Absent) -> Outcome:
    if not isinstance(row, Absent):
        return row
    if row.status == SKIPPED:
        return Skip(row.error)
    code, _, sentence = row.error.partition(": ")
    return ClipError(code, sentence)
