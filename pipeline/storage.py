"""Files of a run directory, local or on any fsspec file system.

A file under its final name is complete: locally it is written under a temporary name, synced and
renamed; on object storage a finished put is atomic by itself.
"""

from __future__ import annotations

import fcntl
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
LOCK = f"{TEMPORARY}lock"


class Store:
    """A folder, by path or fsspec URL. Paths given to its methods are relative to it."""

    def __init__(self, url: str) -> None:
        """Raises RunError for a file system that is not known or not installed.

        Listings are never cached: what is there changes in other processes.
        """
        try:
            fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise RunError(f"The run directory {url} cannot be opened: {_reason(error)}.") from error
        self.url = url
        self._fs: Any = fs
        self._root: str = root.rstrip("/")
        self.is_local = "file" in (fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,))

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return type(self), (self._root if self.is_local else self.url,)

    def full(self, path: str) -> str:
        """The path as the file system knows it."""
        return f"{self._root}/{path}" if path else self._root or "/"

    def prepare(self) -> None:
        """Make the folder and prove that it can be written; RunError in one sentence if not."""
        probe = f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._fs.makedirs(self.full(""), exist_ok=True)
            with self._fs.open(self.full(probe), "wb") as file:
                file.write(b"speechcraft")
            self._fs.rm_file(self.full(probe))
        except Exception as error:  # botocore's errors are no OSError
            raise RunError(f"The run directory {self.url} cannot be written: {_reason(error)}.") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else holds this folder while the block runs; RunError if somebody does.

        The lock goes with its process, however that ends. Object storage has none: two runs of one job
        there do each other's work and write the same bytes.
        """
        if not self.is_local:
            yield
            return
        with Path(self.full(LOCK)).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(f"Another run is at work in {self.url}; wait until it has ended.") from error
            except OSError:
                pass  # a network file system without locks
            yield

    def sweep(self, folder: str) -> None:
        """Remove what writers that were killed left behind in a folder."""
        if self.is_local:
            for file in Path(self.full(folder)).glob(f"{TEMPORARY}*"):
                file.unlink(missing_ok=True)

    def exists(self, path: str) -> bool:
        """Whether the file is there, and so complete."""
        return bool(self._fs.exists(self.full(path)))

    def names(self, folder: str = "") -> set[str]:
        """Every finished file under the folder, relative to the store. One listing; no order."""
        start = len(self._root) + 1
        names = _walk(self.full(folder)) if self.is_local else self._find(folder)
        return {name[start:] for name in names if TEMPORARY not in name[start:]}

    def _find(self, folder: str) -> list[str]:
        with suppress(FileNotFoundError):
            return [str(name) for name in self._fs.find(self.full(folder))]
        return []

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
            Path(self.full(to)).parent.mkdir(parents=True, exist_ok=True)
            Path(self.full(path)).replace(self.full(to))
        else:
            self._fs.mv(self.full(path), self.full(to))


def damaged(store: Store, path: str, error: Exception) -> RunError:
    """The error for a file that is there and cannot be read."""
    return RunError(f"{store.full(path)} is damaged ({_reason(error)}): remove it and run again.")


def _walk(folder: str) -> Iterator[str]:
    """Every file below a local folder, without asking for its size: 5 times as fast as fsspec's `find`."""
    for where, _, files in os.walk(folder, onerror=_unless_gone, followlinks=True):
        for file in files:
            yield f"{where}/{file}"


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
