"""The manifest of a run: which clips, in which shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

import pyarrow as pa

from pipeline import parquet
from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError
from pipeline.review import corrections
from pipeline.rundir import INDEX, Shard
from pipeline.schema import arrow_type
from pipeline.source.base import Item
from pipeline.storage import Store

T = TypeVar("T")
_AUDIO = tuple(f.name for f in fields(AudioRef))
_GIVEN = tuple(f.name for f in fields(Given))
_AUDIO_COLUMNS = sorted((f"audio_{name}", name) for name in _AUDIO)
_GIVEN_COLUMNS = sorted((f"given_{name}", name) for name in _GIVEN)
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _schema() -> pa.Schema:
    def part(cls: type, prefix: str) -> list[pa.Field[Any]]:
        return [
            pa.field(f"{prefix}{name}", arrow_type(_plain_type(hint)))
            for name, hint in get_type_hints(cls).items()
        ]

    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            *part(AudioRef, "audio_"),
            pa.field("recording_s", pa.float64()),
            pa.field("problem_code", pa.string()),
            pa.field("problem", pa.string()),
            *part(Given, "given_"),
        ]
    )


def _plain_type(hint: Any) -> Any:
    return next((k for k in getattr(hint, "__args__", (hint,)) if k is not type(None)), hint)


SCHEMA = _schema()
CORRECTED = SCHEMA.append(pa.field("corrections", pa.string()))
"""Of a shard of clips that people corrected: what they said, as JSON."""


def shards_of(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in groups of `size`, in order; the last may be smaller. Nothing is held beyond one group."""
    group: list[T] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def shard_of(index: int, items: Sequence[Item]) -> Shard:
    """The shard these items make. Its hash covers ids, audio versions, what is given and corrected."""
    digest = hashlib.blake2b(digest_size=6)
    for item in items:
        digest.update(_ENCODER.encode(_line(item)).encode())
    seconds = sum(item.audio.span_s or item.recording_s or 0.0 for item in items)
    return Shard(index, digest.hexdigest(), len(items), seconds)


def write_shard(store: Store, shard: Shard, items: Sequence[Item]) -> None:
    """Write the shard's clips."""
    lines = [_line(item) for item in items]
    schema = CORRECTED if any(item.corrections for item in items) else SCHEMA
    columns = [pa.array([line.get(name) for line in lines], schema.field(name).type) for name in schema.names]
    parquet.write(store, shard.manifest, pa.Table.from_arrays(columns, schema=schema))


def read_shard(store: Store, shard: Shard) -> list[Item]:
    """The shard's clips, in order."""
    return [_item(line) for line in parquet.read(store, shard.manifest).to_pylist()]


def read_ids(store: Store, shard: Shard) -> list[str]:
    """The ids of the shard's clips, in order."""
    return [str(name) for name in parquet.read(store, shard.manifest, ["id"]).column("id").to_pylist()]


def write_index(store: Store, shards: Sequence[Shard]) -> None:
    """Say which shards are current."""
    columns = {
        "shard": [s.index for s in shards],
        "hash": [s.hash for s in shards],
        "clips": [s.clips for s in shards],
        "seconds": [s.seconds for s in shards],
    }
    parquet.write(store, INDEX, pa.table(columns))


def read_index(store: Store) -> list[Shard]:
    """The current shards, in order; empty if none were planned."""
    if not store.exists(INDEX):
        return []
    return [Shard(*line.values()) for line in parquet.read(store, INDEX).to_pylist()]


def _line(item: Item) -> dict[str, object]:
    """The item as a line, its columns in alphabetical order."""
    line: dict[str, object] = {name: getattr(item.audio, field) for name, field in _AUDIO_COLUMNS}
    for name, field in _GIVEN_COLUMNS:
        line[name] = getattr(item.given, field)
    line["id"] = item.id
    line["problem"] = str(item.problem) if item.problem else None
    line["problem_code"] = item.problem.code if item.problem else None
    line["recording_s"] = item.recording_s
    if item.corrections:
        line["corrections"] = _ENCODER.encode(corrections.plain(item.corrections))
    return line


def _item(line: dict[str, Any]) -> Item:
    code = line["problem_code"]
    return Item(
        id=line["id"],
        audio=AudioRef(**{name: line[f"audio_{name}"] for name in _AUDIO}),
        given=Given(**{name: line[f"given_{name}"] for name in _GIVEN}),
        recording_s=line["recording_s"],
        problem=None if code is None else ClipError(code, line["problem"]),
        corrections=corrections.parsed(json.loads(line.get("corrections") or "[]")),
    )
