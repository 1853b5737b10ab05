"""WebDataset shards: uncompressed tar files whose members share a key up to the first point of their name."""

from __future__ import annotations

import json
import posixpath
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Annotated, Any

from pipeline.clip import AudioRef
from pipeline.errors import ClipError, SourceError
from pipeline.options import Option
from pipeline.source.base import NOWHERE, Item, Source, Unnamed, shown
from pipeline.source.columns import fields_of
from pipeline.source.folder import is_sound
from pipeline.source.given import given_of, number_of
from pipeline.source.place import Place, reason
from pipeline.source.untaken import untaken

_MEMBER = re.compile(r"((?:.*/|)[^./][^.]*)\.([^/]*)", re.DOTALL)  # key, extensions
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MAX_TEXT_BYTES = 2**20
_BROKEN = (OSError, EOFError, tarfile.TarError)
_MAX_SHARDS = 1_000_000


@dataclass(slots=True)
class _Sample:
    """Consecutive members of one key."""

    key: str
    sound: tuple[int, int] | None = None  # offset and size in bytes
    about: dict[str, object] = field(default_factory=dict)
    problem: ClipError | None = None


class WebDatasetSource(Source):
    """One item per sample of each shard, in order. The id is the key; .txt and .json members are given.

    Nothing is extracted: an item points at the bytes of its member. A shard that is missing or breaks
    off is one item with the problem `bad_file`.
    """

    form = "webdataset"

    def __init__(
        self,
        url: str,
        *,
        shard_in_id: Annotated[
            bool, Option("put the shard's name before each key: for shards that repeat keys")
        ] = False,
    ) -> None:
        self._shard_in_id = shard_in_id
        self._shards = shards_of(url)
        if not self._shards:
            raise SourceError(f"There is no .tar file at {shown(url)}.")

    def _items(self) -> Iterator[Item]:
        for shard in self._shards:
            yield from self._shard_items(shard)

    def _shard_items(self, shard: Place) -> Iterator[Item]:
        name, version = posixpath.splitext(shard.name)[0], shard.version()
        try:
            for sample in _samples(shard):
                yield self._item(sample, name, shard.url, version)
        except _BROKEN as error:
            problem = ClipError("bad_file", f"The shard {shown(shard.url)} breaks off: {reason(error)}.")
            yield Unnamed(name, NOWHERE, problem=problem)

    def _item(self, sample: _Sample, shard: str, url: str, version: str | None) -> Item:
        id = f"{shard}/{sample.key}" if self._shard_in_id else sample.key
        fields = fields_of(sample.about)
        left = untaken(sample.about, fields)
        if sample.sound is None:
            problem = ClipError("no_audio", f"No member of {shown(sample.key)} is sound.")
            return Item(id, NOWHERE, given_of(fields), problem=problem, untaken=left)
        offset, size = sample.sound
        audio = AudioRef(url, part=f"tar:{offset}+{size}", size_bytes=size, version=version)
        seconds = number_of(fields.get("duration_s"))
        return Item(
            id,
            audio,
            given_of(fields),
            seconds if seconds and seconds > 0 else None,
            sample.problem,
            untaken=left,
        )


def shards_of(url: str) -> list[Place]:
    """The tar files of a file, a folder, a glob or a brace pattern (`x-{000..012}.tar`), in order."""
    place = Place.at(url)
    if _RANGE.search(place.path):
        return [place.to(path) for path in expanded(place.path)]
    if "*" in place.path:
        return [place.to(path) for path in sorted(map(str, place.fs.glob(place.path)))]
    if place.is_folder():
        return [place.to(e.path) for e in place.entries() if not e.is_folder and e.name.endswith(".tar")]
    if re.search(r"\.(tar\.\w+|tgz)$", place.path):
        raise SourceError(
            f"{shown(url)} is compressed, so that no clip can be read alone; unpack it to .tar."
        )
    return [place]


def expanded(pattern: str) -> list[str]:
    """What a pattern with number ranges stands for; leading zeros set the width."""
    parts = _RANGE.split(pattern)
    literals, lows, highs = parts[0::3], parts[1::3], parts[2::3]
    ranges = [range(int(low), int(high) + 1) for low, high in zip(lows, highs, strict=True)]
    if prod(map(len, ranges)) > _MAX_SHARDS:
        raise SourceError(f"{shown(pattern)} stands for more than {_MAX_SHARDS} files.")
    numbers = [[f"{n:0{len(low)}d}" for n in span] for span, low in zip(ranges, lows, strict=True)]
    return [
        "".join(text for pair in zip(literals, (*chosen, ""), strict=True) for text in pair)
        for chosen in product(*numbers)
    ]


def _samples(shard: Place) -> Iterator[_Sample]:
    """The samples of a shard; where it breaks off, the last one as far as it was read, then the error."""
    sample: _Sample | None = None
    with shard.opened() as file, tarfile.open(fileobj=file, mode="r:") as tar:
        try:
            for member in _members(tar, file):
                match = _MEMBER.fullmatch(member.name) if member.isreg() and not member.issparse() else None
                if match is None:
                    continue
                key = match[1].removeprefix("./")
                if sample is None or sample.key != key:
                    if sample is not None:
                        yield sample
                    sample = _Sample(key)
                _add(sample, member, match[2].lower(), file)
        except _BROKEN:
            if sample is not None:
                yield sample
            raise
    if sample is not None:
        yield sample


def _members(tar: tarfile.TarFile, file: Any) -> Iterator[tarfile.TarInfo]:
    """The members; ReadError where the archive does not end in the block of zeros that closes one."""
    while (member := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]  # tarfile keeps every header it has seen
        yield member
    file.seek(tar.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("what follows is not the end of a tar file")


def _add(sample: _Sample, member: tarfile.TarInfo, extension: str, file: Any) -> None:
    if is_sound(f".{extension}") or is_sound(f"x.{extension}"):
        sample.sound = sample.sound or (member.offset_data, member.size)
    elif extension in ("txt", "json"):
        try:
            _read(sample, member, extension, file)
        except (ValueError, RecursionError) as error:
            message = f"The .{extension} of {shown(sample.key)} cannot be read: {reason(error)}."
            sample.problem = ClipError("bad_text", message)


def _read(sample: _Sample, member: tarfile.TarInfo, extension: str, file: Any) -> None:
    if member.size > _MAX_TEXT_BYTES:
        raise ValueError("it is over 1 MiB")
    file.seek(member.offset_data)
    text = file.read(member.size).decode("utf-8-sig")
    if extension == "txt":
        sample.about = {**sample.about, "text": text.rstrip("\r\n")}
        return
    about = json.loads(text)
    if not isinstance(about, dict):
        raise ValueError("it is not a JSON object")
    sample.about = {**about, **sample.about}
