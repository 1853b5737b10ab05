"""Packs: many small files of one folder in one, so that a run of 150,000 shards is no 2 million objects.

A pack is a ZIP archive, not compressed, named by a digest of what it holds: `unzip` in its folder brings the
files back. What a pack holds is read by its range of bytes, and counts as being there under its own name;
a plain file of that name goes before it. Files are removed once the pack they are in is complete, so that a
kill at any point loses nothing and leaves at worst a file and its copy.
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pipeline.errors import RunError

PREFIX = "pack-"
PACK_SHARDS = 1000
"""In one pack: those whose numbers are the same in thousands."""
PACK_BYTES = 64 * 2**20
"""More than that make several packs: a pack is held in memory while it is written."""
TAIL_BYTES = 128 * 2**10
"""Of a pack, read at once: the directory of a thousand files is 80 KB."""
HELD = 64
"""Directories in memory, 0.2 MB each."""
_LOCAL_HEADER_BYTES = 30
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest there is: the same files, the same pack


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside of a pack: where its bytes lie."""

    pack: str
    start: int
    size: int
    crc: int

    def checked(self, data: memoryview | bytes) -> None:
        """RunError where these are not its bytes."""
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise RunError(f"{self.pack} is damaged: remove it and run again.")


def is_pack(path: str) -> bool:
    """Whether a file of that path is a pack."""
    return path.rpartition("/")[2].startswith(PREFIX) and path.endswith(".zip")


def may_be_packed(path: str) -> bool:
    """Whether a pack may hold a file of that path: what belongs to one shard, in a table."""
    return path.rpartition("/")[2].startswith("shard-") and path.endswith(".parquet")


def packed(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The name and the bytes of the pack of these files, by their names in the folder."""
    digest = hashlib.blake2b(digest_size=6)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            digest.update(f"{name}:{zlib.crc32(files[name])}:{len(files[name])};".encode())
            archive.writestr(zipfile.ZipInfo(name, _TIME), files[name])
    first, last = min(files).split("-")[1], max(files).split("-")[1]
    return f"{PREFIX}{first}-{last}-{digest.hexdigest()}.zip", sink.getvalue()


class Directories:
    """What is in which pack, by their paths. Packs never change: what was read of one stays true."""

    def __init__(self, tail: Callable[[str, int], bytes], listed: Callable[[str], Iterable[str]]) -> None:
        """`tail` gives the last bytes of a file, `listed` the packs of a folder."""
        self._tail, self._listed = tail, listed
        self._held: OrderedDict[str, Mapping[str, Member]] = OrderedDict()
        self._lock = threading.Lock()
        self._packs: dict[str, list[str]] = {}

    def members(self, pack: str) -> Mapping[str, Member]:
        """The files of a pack by their full paths; nothing of one that has been removed."""
        with self._lock:
            if pack in self._held:
                self._held.move_to_end(pack)
                return self._held[pack]
        try:
            found = _directory(pack, self._tail)
        except FileNotFoundError:
            return {}
        with self._lock:
            self._held[pack] = found
            if len(self._held) > HELD:
                self._held.popitem(last=False)
        return found

    def find(self, path: str, *, anew: bool) -> Member | None:
        """Where a file is packed; with `anew`, after another look at which packs there are."""
        folder, _, name = path.rpartition("/")
        if anew:
            self._packs[folder] = sorted(self._listed(folder))
        for pack in self._packs.get(folder, ()):
            if _covers(pack, name) and path in (members := self.members(pack)):
                return members[path]
        return None

    def gone(self, pack: str) -> None:
        """A pack is there no longer."""
        folder = pack.rpartition("/")[0]
        if pack in self._packs.get(folder, ()):
            self._packs[folder].remove(pack)


def _covers(pack: str, name: str) -> bool:
    """Whether a shard's number lies among those of the pack, by its name."""
    first, last = pack.rpartition("/")[2].removeprefix(PREFIX).split("-")[:2]
    return int(first) <= int(name.split("-")[1]) <= int(last)


def _directory(pack: str, tail: Callable[[str, int], bytes]) -> Mapping[str, Member]:
    """The directory at the end of a pack. ZipFile counts from the tail's begin, the pack from its own."""
    folder = pack.rpartition("/")[0]
    size = TAIL_BYTES
    while True:
        data = tail(pack, size)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = archive.infolist()
        except zipfile.BadZipFile as error:
            if len(data) < size:
                raise RunError(f"{pack} is damaged ({error}): remove it and run again.") from error
            size *= 4
            continue
        first = min(entry.header_offset for entry in entries)
        return {
            f"{folder}/{e.filename}": Member(
                pack, e.header_offset - first + _LOCAL_HEADER_BYTES + len(e.filename), e.file_size, e.CRC
            )
            for e in entries
        }
