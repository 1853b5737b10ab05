"""Where a source lies: a file or folder, local or on any fsspec file system."""

from __future__ import annotations

import gzip
import io
import json
import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline import filesystems
from pipeline.clip import AudioRef
from pipeline.errors import ClipError, SourceError
from pipeline.source.base import printable, shown

T = TypeVar("T")

MAX_LINE_BYTES = 16 * 2**20  # a line of a manifest is text; what is longer is not one
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_VERSIONS = ("ETag", "etag", "md5Hash", "generation", "LastModified", "last_modified", "mtime", "updated")


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder. `size_bytes` and `version` are None where the listing does not tell."""

    name: str
    path: str
    is_folder: bool
    size_bytes: int | None = None
    version: str | None = None
    inode: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A path on a file system. Local paths are absolute."""

    fs: Any
    path: str

    @classmethod
    def at(cls, url: str) -> Place:
        """The place a person named; SourceError where no file system answers to the url."""
        if not url or "::" in url or printable(url) != url:
            raise SourceError(f"{shown(url)} is neither a path nor a url of one file system.")
        try:
            fs, path = filesystems.opened(url)
        except (ValueError, ImportError, OSError) as error:
            raise SourceError(f"{shown(url)} cannot be opened: {filesystems.redacted(str(error))}") from error
        return cls(fs, path.rstrip("/") or "/")

    @property
    def is_local(self) -> bool:
        """Whether it lies on this machine."""
        return isinstance(self.fs, LocalFileSystem)

    @property
    def url(self) -> str:
        """The path where it is local, else the url with its scheme."""
        return self.path if self.is_local else str(self.fs.unstrip_protocol(self.path))

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path)

    @property
    def folder(self) -> Place:
        """The folder it lies in."""
        return self.to(posixpath.dirname(self.path))

    def to(self, path: str) -> Place:
        """Another path on the same file system."""
        return Place(self.fs, path)

    def child(self, name: str) -> Place:
        """What lies under it."""
        return self.to(posixpath.join(self.path, name))

    def is_folder(self) -> bool:
        """Whether it is a folder that exists."""
        return bool(self._asked(lambda: self.fs.isdir(self.path)))

    def exists(self) -> bool:
        """Whether there is anything."""
        return bool(self._asked(lambda: self.fs.exists(self.path)))

    def entries(self) -> list[Entry]:
        """What the folder holds, by one listing, in code point order of the full paths below it.

        Hidden names, sockets and the like are left out; a link that leads nowhere counts as a file.
        """
        try:
            found = list(self._local_entries() if self.is_local else self._remote_entries())
        except OSError as error:
            raise SourceError(f"The folder {shown(self.url)} cannot be read: {reason(error)}.") from error
        return sorted(found, key=lambda e: e.name + "/" if e.is_folder else e.name)

    def ref(self) -> AudioRef:
        """The file as sound, with its size and version where it can be seen."""
        if not self.is_local:
            return AudioRef(self.url)
        try:
            seen = os.stat(self.path)  # noqa: PTH116  # pathlib takes 3 times as long, for every clip
        except (OSError, ValueError):
            return AudioRef(self.path)
        if not stat.S_ISREG(seen.st_mode):
            return AudioRef(self.path)
        return AudioRef(self.path, size_bytes=seen.st_size, version=str(seen.st_mtime_ns))

    def version(self) -> str | None:
        """What changes when the file does: mtime in ns, an etag; None where nothing tells."""
        if self.is_local:
            return self.ref().version
        try:
            return _version(filesystems.patiently(lambda: self.fs.info(self.path)))
        except OSError:
            return None

    def inode(self) -> tuple[int, int] | None:
        """What tells a local folder from every other, whatever links lead to it."""
        try:
            seen = Path(self.path).stat() if self.is_local else None
        except OSError:
            return None
        return (seen.st_dev, seen.st_ino) if seen else None

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The bytes of the file; of what is inside where it is named `.gz`."""
        with filesystems.patiently(lambda: self.fs.open(self.path, "rb")) as file:
            if self.path.endswith(".gz"):
                with gzip.open(file, "rb") as inside:
                    yield cast("BinaryIO", inside)
            elif self.is_local:
                yield cast("BinaryIO", file)
            else:  # fsspec's own readline takes no size
                yield cast("BinaryIO", io.BufferedReader(file))

    def lines(self) -> Iterator[bytes]:
        """The lines of a text file without their ends and without a byte order mark.

        A line over MAX_LINE_BYTES is cut there and ends in a byte that is not UTF-8.
        """
        with self.opened() as file:
            mark = b"\xef\xbb\xbf"
            while line := file.readline(MAX_LINE_BYTES):
                if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                    line += b"\xff"
                    while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                yield line.removeprefix(mark).rstrip(b"\r\n")
                mark = b""

    def sound(self, text: str) -> AudioRef:
        """The sound a line of the source names: a url, an absolute path, or a path relative to here.

        ClipError `bad_path` for what cannot be a file, and for a local path in a source that is not
        local: what comes from elsewhere does not choose among the files of this machine.
        """
        path = text.strip()
        if "::" in path or printable(path) != path:
            raise ClipError("bad_path", f"{shown(text)} is not the path of a file.")
        scheme = _SCHEME.match(path)
        if scheme and scheme[1].lower() in ("file", "local"):
            path = path[scheme.end() :]
            if not path.startswith("/"):
                raise ClipError("bad_path", f"{shown(text)} is not the path of a file on this machine.")
        elif scheme:
            if scheme[1].lower() not in fsspec.available_protocols():
                raise ClipError("bad_path", f"{shown(text)} is of no file system that is known.")
            return AudioRef(path)
        if self.is_local:
            return self.to(re.sub("/+", "/", posixpath.join(self.path, path))).ref()
        if path.startswith("/"):
            raise ClipError("bad_path", f"{shown(text)} is a local path in a source that is not local.")
        return self.to(posixpath.normpath(posixpath.join(self.path, path))).ref()

    def _asked(self, call: Callable[[], T]) -> T:
        """What the file system answers, patiently."""
        try:
            return call() if self.is_local else filesystems.patiently(call)
        except OSError as error:
            raise SourceError(f"{shown(self.url)} cannot be read: {reason(error)}.") from error

    def _local_entries(self) -> Iterator[Entry]:
        with os.scandir(self.path) as listing:
            for found in listing:
                if found.name.startswith("."):
                    continue
                path = posixpath.join(self.path, found.name)
                try:
                    seen = found.stat()
                except OSError:
                    yield Entry(found.name, path, is_folder=False)
                    continue
                if stat.S_ISDIR(seen.st_mode):
                    yield Entry(found.name, path, is_folder=True, inode=(seen.st_dev, seen.st_ino))
                elif stat.S_ISREG(seen.st_mode):
                    yield Entry(found.name, path, False, seen.st_size, str(seen.st_mtime_ns))

    def _remote_entries(self) -> Iterator[Entry]:
        self.fs.invalidate_cache(self.path)
        for info in filesystems.patiently(lambda: self.fs.ls(self.path, detail=True)):
            path = str(info["name"]).rstrip("/")
            name = posixpath.basename(path)
            if path.strip("/") == self.path.strip("/") or not name or name.startswith("."):
                continue
            if info["type"] == "directory":
                yield Entry(name, path, is_folder=True)
            else:
                yield Entry(name, path, False, info.get("size"), _version(info))


def _version(info: Mapping[str, object]) -> str | None:
    return next((str(info[key]) for key in _VERSIONS if info.get(key)), None)


def reason(error: Exception) -> str:
    """Why, in a few words, none of them Python's."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1:,} is not {error.encoding.upper().removesuffix('-SIG')}"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower().removesuffix(' at')}, at character {error.pos + 1:,}"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return filesystems.redacted(printable(str(words)).strip().rstrip(".").lower())
