"""The manifest of a run: which clips, in which shards."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, get_type_hints

import numpy as np
import pyarrow as pa

from pipeline import parquet
from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError
from pipeline.layout import Laid
from pipeline.review import corrections
from pipeline.rundir import Shard
from pipeline.schema import arrow_type
from pipeline.source.base import Item
from pipeline.storage import Store

_AUDIO = tuple(f.name for f in fields(AudioRef))
_GIVEN = tuple(f.name for f in fields(Given))
_AUDIO_COLUMNS = sorted((f"audio_{name}", name) for name in _AUDIO)
_GIVEN_COLUMNS = sorted((f"given_{name}", name) for name in _GIVEN)
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_audio_of = attrgetter(*(field for _, field in _AUDIO_COLUMNS))
_given_of = attrgetter(*(field for _, field in _GIVEN_COLUMNS))


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


def id_digest(clip_id: str) -> int:
    """Of an id, in 64 bits."""
    return int.from_bytes(hashlib.blake2b(clip_id.encode(), digest_size=8).digest(), "little")


def line_digest(item: Item) -> int:
    """Of an id, the audio's version and what is given, in 64 bits: other clips, other digests."""
    text = _ENCODER.encode([item.id, *_audio_of(item.audio), *_given_of(item.given), *_rest_of(item)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def shard_of(index: int, items: Sequence[Item]) -> Shard:
    """The shard these items make. Its hash covers ids, audio versions, what is given and corrected."""
    return laid_out(index, items).shard


def laid_out(index: int, items: Sequence[Item]) -> Laid:
    """The shard these items make, with what a later plan is held against."""
    lines = np.array([line_digest(item) for item in items], np.uint64)
    digest = hashlib.blake2b(lines.astype("<u8").tobytes(), digest_size=6).hexdigest()
    seconds = sum(item.audio.span_s or item.recording_s or 0.0 for item in items)
    ids = np.array([id_digest(item.id) for item in items], np.uint64)
    longest_s = max((uncut_s(item) for item in items), default=0.0)
    return Laid(Shard(index, digest, len(items), seconds), ids, lines, longest_s)


def uncut_s(item: Item) -> float:
    """The length of what may have to be cut: 0 for a piece or what cannot be read, infinite if unknown."""
    if item.problem is not None or item.audio.offset_s is not None or item.audio.span_s is not None:
        return 0.0
    return math.inf if item.recording_s is None else item.recording_s


def encoded(items: Sequence[Item]) -> bytes:
    """Clips as a manifest file."""
    lines = [_line(item) for item in items]
    schema = CORRECTED if any(item.corrections for item in items) else SCHEMA
    columns = [pa.array([line.get(name) for line in lines], schema.field(name).type) for name in schema.names]
    return parquet.encoded(pa.Table.from_arrays(columns, schema=schema)).to_pybytes()


def write_shard(store: Store, shard: Shard, items: Sequence[Item]) -> None:
    """Write the shard's clips."""
    store.write(shard.manifest, encoded(items))


def read_shard(store: Store, shard: Shard) -> list[Item]:
    """The shard's clips, in order."""
    return [_item(line) for line in parquet.read(store, shard.manifest).to_pylist()]


def read_ids(store: Store, shard: Shard) -> list[str]:
    """The ids of the shard's clips, in order."""
    return [str(name) for name in parquet.read(store, shard.manifest, ["id"]).column("id").to_pylist()]


def _rest_of(item: Item) -> tuple[object, ...]:
    problem = item.problem
    said = corrections.plain(item.corrections) if item.corrections else None
    return (item.recording_s, problem and problem.code, problem and str(problem), said)


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
