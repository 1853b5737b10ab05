"""Files of a run directory, local or on any fsspec file system.

A file under its final name is complete: locally it is written under a temporary name, synced and
renamed; on object storage a finished put is atomic by itself.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
import pyarrow as pa

from pipeline.errors import RunError

TEMPORARY = ".tmp-"
"""Every unfinished file's name holds this; nothing that does is ever read."""


class Store:
    """A folder, by path or fsspec URL. Paths given to its methods are relative to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        fs, root = fsspec.core.url_to_fs(url)
        self._fs: Any = fs
        self._root: str = root.rstrip("/") or "/"
        self.is_local = "file" in (fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,))

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return type(self), (self.url,)

    def full(self, path: str) -> str:
        """The path as the file system knows it."""
        return f"{self._root}/{path}" if path else self._root

    def prepare(self) -> None:
        """Make the folder and prove that it can be written; RunError in one sentence if not."""
        probe = f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._fs.makedirs(self._root, exist_ok=True)
            with self._fs.open(self.full(probe), "wb") as file:
                file.write(b"speechcraft")
            self._fs.rm_file(self.full(probe))
        except OSError as error:
            raise RunError(f"The run directory {self.url} cannot be written: {_reason(error)}.") from error

    def exists(self, path: str) -> bool:
        """Whether the file is there, and so complete."""
        return bool(self._fs.exists(self.full(path)))

    def names(self, folder: str = "") -> set[str]:
        """Every finished file under the folder, relative to the store. One listing; no order."""
        self._fs.invalidate_cache()
        base = self.full("")
        with suppress(FileNotFoundError):
            return {
                str(name)[len(base) + 1 :]
                for name in self._fs.find(self.full(folder))
                if TEMPORARY not in str(name)
            }
        return set()

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return bytes(self._fs.cat_file(self.full(path)))

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a whole file at once, atomically."""
        with self.writing(path) as file:
            file.write(data)

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        """A file to write to, which takes its name only if the block ends without an error."""
        final = self.full(path)
        if not self.is_local:
            with self._fs.transaction, self._fs.open(final, "wb") as file:
                yield cast("BinaryIO", file)
            return
        Path(final).parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(final).with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
        try:
            with temporary.open("wb") as local:
                yield local
                local.flush()
                os.fsync(local.fileno())
            temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def map(self, path: str) -> pa.Buffer:
        """The file's bytes, memory-mapped where it is local."""
        if self.is_local:
            with pa.memory_map(self.full(path), "r") as mapped:
                return mapped.read_buffer()
        return pa.py_buffer(self.read(path))

    def remove(self, path: str) -> None:
        """Remove a file or folder; one that is not there is no error."""
        with suppress(FileNotFoundError):
            self._fs.rm(self.full(path), recursive=True)

    def move(self, path: str, to: str) -> None:
        """Give a file another name, replacing what has it."""
        if self.is_local:
            Path(self.full(path)).replace(self.full(to))
        else:
            self._fs.mv(self.full(path), self.full(to))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
