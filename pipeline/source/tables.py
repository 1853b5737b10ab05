"""Parquet and Arrow files whose rows are clips: the sound as a path, or embedded in the row."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.clip import AudioRef
from pipeline.errors import ClipError, SourceError
from pipeline.source.base import NOWHERE, Item, Unnamed, shown
from pipeline.source.columns import fields_of, identity, ignored, item_of, meaning, path_of
from pipeline.source.given import given_of, number_of
from pipeline.source.place import Place, reason
from pipeline.source.untaken import MARKS, TELL_BY, untaken

_BATCH_ROWS = 1024
_BYTES_BATCH_ROWS = 32  # rows whose sound is read at once, where only reading tells whether there is any
_BROKEN = (OSError, pa.ArrowException, UnicodeDecodeError)

Locate = Callable[[str], AudioRef]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some rows without their sound, and which of them embed one."""

    rows: list[dict[str, Any]]
    embeds: Mask  # [n_rows]


class TableFile:
    """One `.parquet` or `.arrow` file; SourceError where it is neither or has no column of sound."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._is_parquet = place.path.endswith(".parquet")
        try:
            with self._opened() as table:
                schema = table.schema_arrow if self._is_parquet else table.schema
                self.rows = table.metadata.num_rows if self._is_parquet else None
        except _BROKEN as error:
            raise SourceError(f"{shown(place.url)} cannot be read as a table: {reason(error)}.") from error
        self.columns: list[str] = schema.names
        unique = len(set(self.columns)) == len(self.columns)
        self._audio = _audio_column(schema) if unique else None
        if self._audio is None:
            has = ", ".join(self.columns)
            raise SourceError(f"No column of {shown(place.url)} holds sound, or two have one name: {has}.")
        self._embedded = not _is_text(schema.field(self._audio).type)
        self._read = [n for n in self.columns if n != self._audio and _wanted(schema.field(n))]
        self._classes = {n: names for n, names in _class_names(schema).items() if n in self._read}
        self._path_column = _path_column(schema, self._audio)

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        """Columns that mean nothing here."""
        return tuple(c for c in ignored(self.columns) if c != self._audio)

    def items(self, locate: Locate) -> Iterator[Item]:
        """One item per row; where the file breaks off, a `bad_file` for every row that is left."""
        version = self.place.version()
        name = posixpath.splitext(self.place.name)[0]
        number = 0
        try:
            for batch in self._batches():
                for row, embeds in zip(batch.rows, batch.embeds, strict=True):
                    yield self._item(row, f"{name}-{number}", locate, number if embeds else None, version)
                    number += 1
        except _BROKEN as error:
            problem = ClipError("bad_file", f"{shown(self.place.url)} cannot be read: {reason(error)}.")
            for lost in range(number, max(number + 1, self.rows or 0)):
                yield Unnamed(f"{name}-{lost}", NOWHERE, problem=problem)

    def _item(
        self, row: dict[str, Any], fallback: str, locate: Locate, number: int | None, version: str | None
    ) -> Item:
        for column, names in self._classes.items():
            row[column] = _class_name(row.get(column), names)
        path = row.pop(self._audio or "", None)
        if number is None:
            return item_of({**row, "audio": path}, locate, fallback)
        fields = fields_of(row)
        kind, id = identity(fields, path_of(path), fallback)
        audio = AudioRef(self.place.url, part=f"row:{number}:{self._audio}", version=version)
        seconds = number_of(fields.get("duration_s"))
        left = untaken(row, fields)
        return kind(id, audio, given_of(fields), seconds if seconds and seconds > 0 else None, untaken=left)

    def _batches(self) -> Iterator[_Batch]:
        return self._parquet_batches() if self._is_parquet else self._arrow_batches()

    def _parquet_batches(self) -> Iterator[_Batch]:
        columns = [*self._read, *([self._path_column] if self._path_column else [])]
        with self._opened() as table:
            for group in range(table.num_row_groups):
                embeds = self._embeds(table, group)
                start = 0
                for batch in table.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns):
                    yield _Batch(batch.to_pylist(), embeds[start : start + batch.num_rows])
                    start += batch.num_rows

    def _embeds(self, table: pq.ParquetFile, group: int) -> Mask:
        """Which rows of a row group embed sound, from its statistics where they tell."""
        info = table.metadata.row_group(group)
        if not self._embedded:
            return np.zeros(info.num_rows, dtype=np.bool_)
        leaves = {info.column(i).path_in_schema: info.column(i) for i in range(info.num_columns)}
        leaf = f"{self._audio}.bytes" if f"{self._audio}.bytes" in leaves else str(self._audio)
        statistics = leaves[leaf].statistics
        nulls = statistics.null_count if statistics is not None else None
        if nulls in (0, info.num_rows):
            return np.full(info.num_rows, nulls == 0, dtype=np.bool_)
        batches = table.iter_batches(_BYTES_BATCH_ROWS, row_groups=[group], columns=[leaf])
        return np.concatenate([_valid(b.column(0)) for b in batches])

    def _arrow_batches(self) -> Iterator[_Batch]:
        with self._opened() as table:
            for batch in table:
                for start in range(0, batch.num_rows, _BATCH_ROWS):
                    piece = batch.slice(start, _BATCH_ROWS)
                    sound = piece.column(self._audio)
                    embeds = _valid(sound) if self._embedded else np.zeros(piece.num_rows, np.bool_)
                    small = piece.select(self._read)
                    if self._path_column:
                        paths = pc.struct_field(sound, "path") if self._embedded else sound
                        small = small.append_column(self._audio, paths)
                    yield _Batch(small.to_pylist(), embeds)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with _input(self.place) as file:
            if self._is_parquet:
                yield pq.ParquetFile(file)
            elif file.read(6) == b"ARROW1":
                reader = pa.ipc.open_file(file)
                yield _FileReader(reader.schema, reader)
            else:
                file.seek(0)
                yield pa.ipc.open_stream(file)


@dataclass(frozen=True, slots=True)
class _FileReader:
    """The IPC file format, read like a stream."""

    schema: pa.Schema
    reader: Any

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return (self.reader.get_batch(i) for i in range(self.reader.num_record_batches))


@contextmanager
def _input(place: Place) -> Iterator[Any]:
    if place.is_local:
        with pa.memory_map(place.path, "r") as mapped:
            yield mapped
    else:
        with place.opened() as file:
            yield file


def _audio_column(schema: pa.Schema) -> str | None:
    """The column of sound: by its name, else the one that embeds files."""
    by_rank = sorted(
        (found[1], name)
        for name in schema.names
        if (found := meaning(name)) is not None
        and found[0] == "audio"
        and (_is_text(schema.field(name).type) or _is_embedded(schema.field(name).type))
    )
    if by_rank:
        return by_rank[0][1]
    return next((f.name for f in schema if pa.types.is_struct(f.type) and _is_embedded(f.type)), None)


def _path_column(schema: pa.Schema, audio: str) -> str | None:
    kind = schema.field(audio).type
    if _is_text(kind):
        return audio
    has_path = pa.types.is_struct(kind) and kind.get_field_index("path") >= 0
    return f"{audio}.path" if has_path else None


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_embedded(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_embedded(kind.field(index).type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def _wanted(field: pa.Field[Any]) -> bool:
    kind = field.type
    plain = _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if field.name in TELL_BY | MARKS:
        return plain
    found = meaning(field.name)
    return plain and found is not None and found[0] != "audio"


def _valid(column: Any) -> Mask:
    """Which values of a column of sound are there."""
    if pa.types.is_struct(column.type):
        column = pc.struct_field(column, "bytes")
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _class_names(schema: pa.Schema) -> Mapping[str, Sequence[str]]:
    """Columns that hold class numbers, with the names of the classes, as `datasets` notes them."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: tuple(map(str, feature["names"]))
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and "names" in feature
        }
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _class_name(value: object, names: Sequence[str]) -> object:
    if isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    return value
