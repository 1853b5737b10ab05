"""Files of a run directory, local or on any fsspec file system.

A file under its final name is complete: it is written under a temporary name, synced and renamed; on object
storage a finished put is atomic by itself. Files of finished shards may lie in packs; whoever reads them
need not know.
"""

from __future__ import annotations

import errno
import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import pyarrow as pa

from pipeline.errors import RunError, StorageError
from pipeline.filesystems import (
    PUT_IS_WHOLE,
    is_local,
    opened,
    passes,
    patiently,
    protocols,
    reason,
    redacted,
    walk,
)
from pipeline.packs import Directories, Member, is_pack, may_be_packed, packed

T = TypeVar("T")

TEMPORARY = ".tmp-"
"""Every unfinished file's name holds this; nothing that does is ever read."""
REMOVED_AT_ONCE = 1000
"""Names in one request."""
_NO_ROOM = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ENOSYS])


class Store:
    """A folder, by path or fsspec URL. Paths given to its methods are relative to it.

    Raises StorageError where it cannot be read or written any more: full, read-only, out of reach.
    """

    def __init__(self, url: str) -> None:
        """Raises RunError for a file system that is not known or not installed."""
        self.url = redacted(url)
        """For people: without a password."""
        try:
            fs, root = opened(url)
        except (ImportError, ValueError) as error:
            raise RunError(f"The run directory {self.url} cannot be opened: {reason(error)}.") from error
        self._url = url
        self._fs: Any = fs
        self._root: str = root.rstrip("/")
        self.is_local = is_local(fs)
        self._directories = Directories(self._tail, self._packs_of)
        self._puts_whole = bool(PUT_IS_WHOLE & set(protocols(fs)))

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return type(self), (self._root if self.is_local else self._url,)

    def full(self, path: str) -> str:
        """The path as the file system knows it."""
        return f"{self._root}/{path}" if path else self._root or "/"

    def prepare(self) -> None:
        """Make the folder and prove that it can be written; RunError in one sentence if not."""
        probe = f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            if not self._puts_whole:  # s3fs would make the bucket that was misspelt
                patiently(lambda: self._fs.makedirs(self.full(""), exist_ok=True))
            patiently(lambda: self._fs.pipe_file(self.full(probe), b"speechcraft"))
            patiently(lambda: self._fs.rm_file(self.full(probe)))
        except OSError as error:
            raise RunError(f"The run directory {self.url} cannot be written: {reason(error)}.") from error

    def sweep(self, folder: str) -> None:
        """Remove what writers that were killed left behind in a folder."""
        if self.is_local:
            for file in Path(self.full(folder)).glob(f"{TEMPORARY}*"):
                file.unlink(missing_ok=True)

    def exists(self, path: str) -> bool:
        """Whether the file is there, and so complete."""
        there = bool(self._call(lambda: self._fs.exists(self.full(path))))
        return there or self._packed(path, anew=True) is not None

    def names(self, folder: str = "") -> set[str]:
        """Every finished file under the folder, those in packs too, relative to the store. No order."""
        names = self.files(folder)
        packs = {name for name in names if is_pack(name)}
        for pack in packs:
            names.update(self._directories.members(pack))
        return names - packs

    def files(self, folder: str = "") -> set[str]:
        """Every finished file under the folder as it lies there: packs, not what is in them. One listing."""
        start = len(self._root) + 1
        names = walk(self.full(folder)) if self.is_local else self._call(lambda: self._find(folder))
        return {name[start:] for name in names if TEMPORARY not in name[start:]}

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Every file under the folder as it lies there, unfinished ones too, with its bytes."""
        start = len(self._root) + 1
        found = self._call(lambda: self._fs.find(self.full(folder), detail=True))
        return {str(name)[start:]: int(facts["size"] or 0) for name, facts in found.items()}

    def packed_sizes(self, pack: str) -> dict[str, int]:
        """The files in a pack, with their bytes."""
        return {path: member.size for path, member in self._directories.members(pack).items()}

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._found(path, self._read, self._bytes_of)

    def map(self, path: str) -> pa.Buffer:
        """The file's bytes, memory-mapped where it is local."""
        if self.is_local:
            return self._found(path, self._map, self._map_of)
        return pa.py_buffer(self.read(path))

    def write(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a whole file at once, atomically."""
        if self.is_local:
            with self.writing(path) as file:
                file.write(data)
        else:
            whole = bytes(data)
            self._put(path, lambda to: self._fs.pipe_file(to, whole))

    def create(self, path: str, data: bytes) -> bool:
        """Write a file if there is none of that name; whether it was written.

        Exclusive where the file system can: local ones, S3, Google's; elsewhere as good as it looks first.
        A put that was made and answered by an error is made again, and is then said not to be written.
        """
        try:
            self._call(lambda: self._fs.pipe_file(self.full(path), data, mode="create"))
        except FileExistsError:
            return False
        return True

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        """A file to write to, which takes its name only if the block ends without an error."""
        if not self.is_local:
            with tempfile.NamedTemporaryFile("wb", prefix="speechcraft-") as held:
                yield cast("BinaryIO", held)
                held.flush()
                self._put(path, lambda to: self._fs.put_file(held.name, to))
            return
        final = Path(self.full(path))
        temporary = final.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as local:
                yield local
                local.flush()
                os.fsync(local.fileno())
            temporary.replace(final)
        except BaseException as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in _NO_ROOM | {errno.EACCES, errno.EPERM}:
                raise self.unusable("written", error) from error
            raise

    def rename(self, path: str, to: str) -> None:
        """Give a file another name, by a copy where it must be; FileNotFoundError where there is none."""
        if self.is_local:
            self._call(lambda: os.renames(self.full(path), self.full(to)))
            return
        move = self._fs.cp_file if self._puts_whole else self._move
        self._put(to, lambda new: move(self.full(path), new))
        self.remove_plain([path])

    def appending(self, path: str) -> BinaryIO:
        """A file of a local store as it is, to read and to append to."""
        try:
            return Path(self.full(path)).open("a+b")
        except OSError as error:
            raise self.unusable("written", error) from error

    def remove(self, path: str) -> None:
        """Remove a file or folder; one that is not there is no error."""
        with suppress(FileNotFoundError):
            self._call(lambda: self._fs.rm(self.full(path), recursive=True))
        self._unpack([path])

    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove many files, in as few requests as can be; one that is not there is no error."""
        paths = list(paths)
        self.remove_plain(paths)
        self._unpack(paths)

    def remove_plain(self, paths: Iterable[str]) -> None:
        """As `remove_files`, of files that lie by themselves; their copies in packs stay."""
        full = [self.full(path) for path in paths]
        if self.is_local:
            for name in full:
                self._call(lambda name=name: Path(name).unlink(missing_ok=True))  # type: ignore[misc]
        else:
            for at in range(0, len(full), REMOVED_AT_ONCE):
                self._remove_at_once(full[at : at + REMOVED_AT_ONCE])

    def read_plain(self, paths: Sequence[str]) -> list[bytes]:
        """The bytes of files that lie by themselves, read at once where that is faster."""
        if self.is_local:
            return [self._read(path) for path in paths]
        found = self._call(lambda: self._fs.cat([self.full(path) for path in paths]))
        return [bytes(found[name]) for name in (self._fs._strip_protocol(self.full(path)) for path in paths)]

    def remove_empty_folders(self) -> None:
        """Remove folders of a local store that hold nothing; object storage has none."""
        for where, _, _ in os.walk(self.full(""), topdown=False) if self.is_local else ():
            if where != self._root:
                with suppress(OSError):
                    Path(where).rmdir()

    def pack(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write files of a folder, by their names in it, as one pack."""
        name, data = packed(files)
        self.write(f"{folder}/{name}", data)

    def unusable(self, what: str, error: BaseException) -> StorageError:
        """The error for a run directory that cannot be `read` or `written` any more."""
        return StorageError(
            f"{self.url} cannot be {what}: {reason(error)}. "
            "What is complete stays; the same command goes on from there."
        )

    def _packed(self, path: str, *, anew: bool) -> Member | None:
        """Where the file is packed; without `anew`, as far as is known without asking."""
        return self._directories.find(path, anew=anew) if may_be_packed(path) else None

    def _found(self, path: str, plain: Callable[[str], T], part: Callable[[Member], T]) -> T:
        """The file: from the pack it is known to be in, else as it lies there, else from a new pack."""
        for anew in (False, True):
            member = self._packed(path, anew=anew)
            try:
                if member is None:
                    return plain(path)
                return part(member)
            except FileNotFoundError:
                if anew or not may_be_packed(path):
                    raise
        raise AssertionError

    def _unpack(self, paths: Iterable[str]) -> None:
        """Write the packs that hold any of these files anew without them, then remove the old ones."""
        gone = {path for path in paths if may_be_packed(path)}
        packs: dict[str, set[str]] = {}
        for folder in {path.rpartition("/")[0] for path in gone}:
            for pack in self._packs_of(folder):
                if hit := gone & self._directories.members(pack).keys():
                    packs[pack] = hit
        for pack, hit in packs.items():
            members = self._directories.members(pack)
            start = len(pack.rpartition("/")[0]) + 1
            left = {path[start:]: self._bytes_of(members[path]) for path in members.keys() - hit}
            if left:
                self.pack(pack[: start - 1], left)
            with suppress(FileNotFoundError):
                self._call(lambda pack=pack: self._fs.rm(self.full(pack)))  # type: ignore[misc]
            self._directories.gone(pack)

    def _bytes_of(self, member: Member) -> bytes:
        data = self._read_range(member.pack, member.start, member.size) if member.size else b""
        member.checked(data)
        return data

    def _map_of(self, member: Member) -> pa.Buffer:
        data = self._map(member.pack).slice(member.start, member.size)
        member.checked(memoryview(data))
        return data

    def _packs_of(self, folder: str) -> list[str]:
        return [name for name in self.files(folder) if is_pack(name) and name.rpartition("/")[0] == folder]

    def _read(self, path: str) -> bytes:
        # s3fs would ask for the size first
        once = {"max_concurrency": 1} if "s3" in protocols(self._fs) else {}
        return bytes(self._call(lambda: self._fs.cat_file(self.full(path), **once)))

    def _map(self, path: str) -> pa.Buffer:
        with pa.memory_map(self.full(path), "r") as mapped:
            return mapped.read_buffer()

    def _read_range(self, path: str, start: int, size: int) -> bytes:
        return bytes(self._call(lambda: self._fs.cat_file(self.full(path), start=start, end=start + size)))

    def _tail(self, path: str, size: int) -> bytes:
        if self.is_local:
            whole = self._map(path)
            return bytes(whole.slice(max(0, whole.size - size)))
        return bytes(self._call(lambda: self._fs.cat_file(self.full(path), start=-size)))

    def _find(self, folder: str) -> list[str]:
        with suppress(FileNotFoundError):
            return [str(name) for name in self._fs.find(self.full(folder))]
        return []

    def _remove_at_once(self, full: list[str]) -> None:
        """In one request; where a file system refuses for one that is not there, one by one."""
        try:
            self._call(lambda: self._fs.rm(full))
        except FileNotFoundError:
            for name in full:
                with suppress(FileNotFoundError):
                    self._call(lambda name=name: self._fs.rm_file(name))  # type: ignore[misc]

    def _put(self, path: str, put: Callable[[str], None]) -> None:
        """One put where that is atomic; elsewhere under another name, then renamed."""
        final = self.full(path)
        if self._puts_whole:
            self._call(lambda: put(final))
            return
        parent, _, _ = final.rpartition("/")
        temporary = f"{parent}/{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._call(lambda: self._fs.makedirs(parent, exist_ok=True))
            self._call(lambda: put(temporary))
            self._call(lambda: self._move(temporary, final))
        except BaseException:
            with suppress(Exception):
                self._fs.rm_file(temporary)
            raise

    def _move(self, temporary: str, final: str) -> None:
        """Rename; done already where the answer to an earlier try was lost."""
        try:
            self._fs.mv(temporary, final)
        except FileNotFoundError:
            if not self._fs.exists(final):
                raise

    def _call(self, request: Callable[[], T]) -> T:
        """What the file system answers, patiently; StorageError where it cannot answer any more."""
        try:
            return request() if self.is_local else patiently(request)
        except (FileNotFoundError, FileExistsError):
            raise
        except OSError as error:
            raise self.unusable("reached" if passes(error) else "used", error) from error
