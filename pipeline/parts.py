"""The bytes of a clip's sound: a file, a byte range of a tar, or a cell of a parquet or arrow table."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.clip import AudioRef
from pipeline.errors import ClipError
from pipeline.filesystems import opened, patiently

_TAR = re.compile(r"tar:(\d+)\+(\d+)")
_ROW = re.compile(r"row:(\d+)(?::(.+))?")


def local_path(audio: AudioRef) -> Path | None:
    """The file itself where it is a plain local one, which libraries read faster than a Python file."""
    if audio.part is not None or "::" in audio.url:
        return None
    if audio.url.startswith("file://"):
        return Path(audio.url.removeprefix("file://"))
    return None if "://" in audio.url else Path(audio.url)


def open_bytes(audio: AudioRef) -> BinaryIO:
    """A seekable binary file over exactly the bytes of the sound.

    Raises OSError as the file system does, and ClipError where the part does not exist in the file.
    """
    if audio.part is None:
        return _open(audio.url)
    if found := _TAR.fullmatch(audio.part):
        return _open_range(audio.url, int(found[1]), int(found[2]))
    if found := _ROW.fullmatch(audio.part):
        return _open_cell(audio, int(found[1]), found[2] or "audio")
    raise ClipError("not_found", f"{audio.part!r} names no part; it is tar:OFFSET+SIZE or row:N.")


def _open(url: str) -> BinaryIO:
    path = local_path(AudioRef(url))
    if path is not None:
        return path.open("rb")
    files, name = opened(url)
    return cast("BinaryIO", patiently(lambda: files.open(name, "rb")))


def _open_range(url: str, start: int, size: int) -> BinaryIO:
    file = _open(url)
    if file.seek(0, io.SEEK_END) < start + size:
        file.close()
        raise ClipError("truncated", f"The archive ends before byte {start + size}, where the clip ends.")
    return io.BufferedReader(_Range(file, start, size))


class _Range(io.RawIOBase):
    """A byte range of a file, read as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        piece = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


def _open_cell(audio: AudioRef, row: int, column: str) -> BinaryIO:
    """The cell's bytes, or the file its path names, relative to the table."""
    try:
        cell = _column(audio.url, audio.version, row, column)
    except (pa.ArrowException, KeyError, IndexError) as error:
        raise ClipError("not_found", f"The table has no row {row} with a column {column!r}.") from error
    if isinstance(cell, bytes):
        return io.BytesIO(cell)
    if isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes):
        return io.BytesIO(cell["bytes"])
    if isinstance(cell, dict) and isinstance(cell.get("path"), str):
        path = cell["path"]
        absolute = "://" in path or path.startswith("/")
        return _open(path if absolute else f"{audio.url.rpartition('/')[0] or '.'}/{path}")
    raise ClipError("not_found", f"Column {column!r} of row {row} holds neither bytes nor a path.")


def _column(url: str, version: str | None, row: int, column: str) -> object:
    if url.endswith(".arrow"):
        return _arrow(url, version).column(column)[row].as_py()
    first_rows = _first_rows(url, version)
    group = max((g for g, first in enumerate(first_rows) if first <= row), default=0)
    return _row_group(url, version, group, column)[row - first_rows[group]].as_py()


@lru_cache(maxsize=2)
def _arrow(url: str, version: str | None) -> pa.Table:
    path = local_path(AudioRef(url))
    source = pa.memory_map(str(path)) if path is not None else pa.PythonFile(cast("io.IOBase", _open(url)))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source).read_all()


@lru_cache(maxsize=64)
def _first_rows(url: str, version: str | None) -> tuple[int, ...]:
    """The first row of each row group."""
    with _open(url) as file:
        metadata = pq.ParquetFile(file).metadata
    sizes = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
    return tuple(sum(sizes[:g]) for g in range(len(sizes)))


@lru_cache(maxsize=1)
def _row_group(url: str, version: str | None, group: int, column: str) -> pa.ChunkedArray[Any]:
    """One column of one row group: neighbours in a batch share the read."""
    with _open(url) as file:
        return pq.ParquetFile(file).read_row_group(group, columns=[column]).column(column)
