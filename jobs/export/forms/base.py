"""What every form shares: a part that is written row by row, and files that are hashed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa

from jobs.export.plan import Part
from jobs.export.sound import Encoded
from pipeline.storage import Store


class Fact(NamedTuple):
    """A finished file."""

    name: str
    bytes: int
    sha256: str


class Clip(NamedTuple):
    """A clip to be written. `row` is one line of the columns asked for; `sound` None where there is none."""

    id: str
    key: str
    row: pa.Table
    sound: Encoded | None
    where: Mapping[str, Any]
    """The source's file, by the columns of `WHERE`."""


WHERE = {"audio": pa.string(), "audio_part": pa.string(), "offset_s": pa.float64()}
"""Where the sound of a clip is when it is not embedded: a file or archive, the part of it, the start."""


class PartWriter(Protocol):
    """A part on its way. All its files take their names when it is finished, or none does."""

    def add(self, clip: Clip) -> None:
        """The next clip."""
        ...

    def finish(self) -> list[Fact]:
        """Everything is written; its files."""
        ...

    def abandon(self, error: BaseException) -> None:
        """Leave nothing behind under a final name that belongs to this part's table."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """What a form needs to know: where to, which columns, and what becomes of the sound."""

    out: Store
    schema: pa.Schema
    audio: str
    classes: Mapping[str, Sequence[str]]


class Form(Protocol):
    """A form: opens parts."""

    def __init__(self, layout: Layout) -> None: ...

    def open(self, part: Part) -> PartWriter:
        """A part, ready for its first clip."""
        ...


class Hashed:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Write bytes, or anything that is a buffer of them."""
        view = memoryview(data)
        self._digest.update(view)
        self._file.write(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def flush(self) -> None:
        """Flush."""
        self._file.flush()

    def writable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """No."""
        return False

    def seekable(self) -> bool:
        """No: what is hashed is written."""
        return False

    def close(self) -> None:
        """The file itself is closed by who opened it."""

    def fact(self, name: str) -> Fact:
        """What was written."""
        return Fact(name, self.size, self._digest.hexdigest())


@contextmanager
def hashing(out: Store, name: str) -> Iterator[Hashed]:
    """A file of the export, hashed on the way."""
    with out.writing(name) as file:
        yield Hashed(file)


def write_file(out: Store, name: str, data: bytes) -> Fact:
    """A whole file."""
    out.write(name, data)
    return Fact(name, len(data), hashlib.sha256(data).hexdigest())


def line_of(clip: Clip, audio: str | None, mode: str) -> dict[str, Any]:
    """The clip as JSON: its id, where its sound is in the way of `mode` (embed, path, none), its columns."""
    row: dict[str, Any] = clip.row.to_pylist()[0]
    where: Mapping[str, Any] = {"embed": {"audio": audio}, "path": clip.where, "none": {}}[mode]
    return {"id": row.pop("id"), **where, **{k: v for k, v in row.items() if k not in where}}
