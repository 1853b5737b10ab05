"""A folder of sound files, or a single one."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError, SourceError
from pipeline.options import Option
from pipeline.source.base import ACCEPTED, NOWHERE, Item, Source, printable, shown
from pipeline.source.given import text_of
from pipeline.source.place import Entry, Place, reason

SOUND_EXTENSIONS = frozenset(
    [
        "3gp",
        "aac",
        "ac3",
        "aif",
        "aifc",
        "aiff",
        "amr",
        "ape",
        "au",
        "awb",
        "caf",
        "flac",
        "gsm",
        "m4a",
        "m4b",
        "mka",
        "mkv",
        "mov",
        "mp2",
        "mp3",
        "mp4",
        "mpga",
        "nist",
        "oga",
        "ogg",
        "opus",
        "snd",
        "sph",
        "spx",
        "tta",
        "voc",
        "w64",
        "wav",
        "wave",
        "weba",
        "webm",
        "wma",
        "wv",
    ]
)
"""What ffmpeg reads by itself; headerless PCM is not among it."""

_SIDECARS = (".txt", ".lab")
_ENCODINGS = "UTF-8, UTF-16 or GB18030"
_MAX_TEXT_BYTES = 2**20  # a longer sidecar is not the transcript of a clip
_HTK_LINE = re.compile(r"\d+\s+\d+\s+\S+.*")  # start, end (100 ns), label
_GB2312_SHARE = 0.9  # Latin-1 misread as GB18030 gives rare characters outside GB2312


@dataclass(frozen=True, slots=True)
class _Sound:
    """A sound file of a listing, under its id, with the text beside it."""

    id: str
    entry: Entry
    sidecar: Entry | None


class FolderSource(Source):
    """Every sound file under a folder, in code point order of the paths.

    The id is the relative path without extension; with it where two files differ in nothing else. A
    `.txt` or `.lab` of the same name is the text. A folder reached twice through links is read once.
    """

    form = "folder"

    def __init__(
        self,
        url: str,
        *,
        speaker_from: Annotated[
            Literal["folder"] | None, Option("`folder`: the first subfolder is the speaker")
        ] = None,
    ) -> None:
        named = Place.at(url)
        alone = is_sound(named.name) and not named.is_folder()
        self._place = named.folder if alone else named
        self._only = named.name if alone else None
        self._speaker_from_folder = speaker_from == "folder"
        if next(self._sounds(), None) is None:
            raise SourceError(f"There is no sound file under {shown(url)}; {ACCEPTED}.")

    def _items(self) -> Iterator[Item]:
        for sound in self._sounds():
            yield self._item(sound)

    def _sounds(self) -> Iterator[_Sound]:
        if self._only is not None:
            yield from (s for s in _sounds_of(self._place.entries(), "") if s.entry.name == self._only)
            return
        seen: set[tuple[int, int]] = set()
        root = Entry(self._place.name, self._place.path, is_folder=True, inode=self._place.inode())
        waiting: list[Entry | _Sound] = [root]
        while waiting:
            found = waiting.pop()
            if isinstance(found, _Sound):
                yield found
            elif found.inode is None or found.inode not in seen:
                seen.update([found.inode] if found.inode else [])
                waiting.extend(reversed(self._listed(found.path)))

    def _listed(self, path: str) -> list[Entry | _Sound]:
        entries = self._place.to(path).entries()
        sounds = {s.entry.name: s for s in _sounds_of(entries, self._relative(path))}
        return [e if e.is_folder else sounds[e.name] for e in entries if e.is_folder or e.name in sounds]

    def _relative(self, path: str) -> str:
        return path[len(self._place.path) :].strip("/")

    def _item(self, sound: _Sound) -> Item:
        entry = sound.entry
        speaker = self._speaker(sound.id) if self._speaker_from_folder else None
        try:
            if "::" in entry.path or printable(entry.path) != entry.path:
                raise ClipError("bad_path", f"The name {shown(entry.path)} cannot be written as a url.")
            audio = AudioRef(
                self._place.to(entry.path).url, size_bytes=entry.size_bytes, version=entry.version
            )
            text = self._text(sound.sidecar) if sound.sidecar else None
        except ClipError as problem:
            return Item(sound.id, NOWHERE, Given(speaker=speaker), problem=problem)
        return Item(sound.id, audio, Given(text=text, speaker=speaker))

    @staticmethod
    def _speaker(id: str) -> str | None:
        first, slash, _ = id.partition("/")
        return printable(first) if slash else None

    def _text(self, sidecar: Entry) -> str | None:
        if (sidecar.size_bytes or 0) > _MAX_TEXT_BYTES:
            raise ClipError("bad_text", f"{shown(sidecar.name)} is too large to be a transcript.")
        try:
            with self._place.fs.open(sidecar.path, "rb") as file:
                text = decoded(file.read(_MAX_TEXT_BYTES))
        except OSError as error:
            raise ClipError("bad_text", f"{shown(sidecar.name)} cannot be read: {reason(error)}.") from error
        except UnicodeError as error:
            raise ClipError("bad_text", f"{shown(sidecar.name)} is no text in {_ENCODINGS}.") from error
        timed = sidecar.name.lower().endswith(".lab") and all(map(_HTK_LINE.fullmatch, text.split("\n")))
        return None if timed else text_of(text)


def is_sound(name: str) -> bool:
    """Whether a file of this name is taken for sound."""
    return _extension(name)[1:] in SOUND_EXTENSIONS


def decoded(data: bytes) -> str:
    """The text of a sidecar without the line end that closes it: UTF-8, UTF-16 with a mark, or GB18030.

    UnicodeError where it is none of them.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = _chinese(data)
    return text.rstrip("\r\n")


def _chinese(data: bytes) -> str:
    text = data.decode("gb18030")
    foreign = [c for c in text if not c.isascii()]
    common = sum(bool(c.encode("gb2312", "ignore")) for c in foreign)
    if common < _GB2312_SHARE * len(foreign):
        raise UnicodeError("neither UTF-8 nor Chinese.")
    return text


def _sounds_of(entries: list[Entry], folder: str) -> Iterator[_Sound]:
    files = {e.name: e for e in entries if not e.is_folder}
    sounds = [name for name in files if is_sound(name)]
    stems = Counter(_stem(name) for name in sounds)
    texts = {_stem(n) + _extension(n): e for n, e in files.items() if _extension(n) in _SIDECARS}
    for name in sounds:
        stem = _stem(name)
        own = stems[stem] == 1 and not (stem in files and is_sound(stem))
        sidecar = next((texts[stem + x] for x in _SIDECARS if stem + x in texts), None)
        yield _Sound(posixpath.join(folder, stem if own else name), files[name], sidecar)


def _stem(name: str) -> str:
    return posixpath.splitext(name)[0]


def _extension(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
