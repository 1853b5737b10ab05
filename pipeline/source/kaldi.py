"""A Kaldi data folder: wav.scp, and segments, text, utt2spk, spk2gender, utt2lang, utt2dur if present."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError, SourceError
from pipeline.options import Option
from pipeline.source.base import NOWHERE, Item, Source, Unnamed, shown
from pipeline.source.given import gender_of, number_of, text_of, word_of
from pipeline.source.place import Place, reason
from pipeline.source.untaken import not_understood

_RELATIVE = re.compile(r"(?![/|-]|[\w+.-]+://)[^\0]*[^|\0]")  # neither absolute, a url, nor a command
TO_THE_END = -1.0  # an end time that Kaldi reads as the end of the recording


class KaldiSource(Source):
    """One item per line of segments, or of wav.scp where there are none.

    A wav.scp entry that is a command is never run: its clips have the problem `pipe`. Relative paths
    start at `audio_root`; without it at the data folder, or at the working folder if the first of them
    is found only there.
    """

    form = "kaldi"

    def __init__(
        self,
        url: str,
        *,
        audio_root: Annotated[
            str | None, Option("where relative paths of wav.scp start; found by trying if none is named")
        ] = None,
    ) -> None:
        self._place = Place.at(url)
        self._wav = self._place.child("wav.scp")
        try:
            first = next(_pairs(self._wav), None)
        except OSError as error:
            raise SourceError(f"{shown(self._wav.url)} cannot be read: {reason(error)}.") from error
        if first is None:
            raise SourceError(f"{shown(self._wav.url)} is missing or empty.")
        self._root = (
            Place.at(audio_root) if audio_root else root_of(self._place, (p for _, p in _pairs(self._wav)))
        )
        self._has_segments = self._place.child("segments").exists()

    def _items(self) -> Iterator[Item]:
        text, speaker, language = (self._lookup(n) for n in ("text", "utt2spk", "utt2lang"))
        gender = dict(_pairs(self._place.child("spk2gender")))
        for item in self._segments() if self._has_segments else self._recordings():
            spoken_by = word_of(speaker.get(item.id))
            named = gender.get(spoken_by or "")
            words = text.get(item.id) or ""
            given = Given(
                text=text_of(words),
                speaker=spoken_by,
                language=word_of(language.get(item.id)),
                gender=gender_of(named),
            )
            problem = item.problem or _text_problem(words)
            left = not_understood({"gender": named, "language": given.language})
            yield replace(item, given=given, problem=problem, untaken=left)

    def _recordings(self) -> Iterator[Item]:
        seconds = self._lookup("utt2dur")
        for id, entry in _pairs(self._wav):
            yield self._recording(id, entry, number_of(seconds.get(id)))

    def _recording(self, id: str, entry: str, seconds: float | None) -> Item:
        try:
            return Item(id, self._sound(entry), recording_s=seconds if seconds and seconds > 0 else None)
        except ClipError as problem:
            return Item(id, NOWHERE, problem=problem)

    def _sound(self, entry: str) -> AudioRef:
        if not entry:
            raise ClipError("no_audio", "wav.scp names no file for this recording.")
        if entry == "-" or entry.endswith("|") or entry.startswith("|"):
            raise ClipError("pipe", f"wav.scp names a command, which is never run: {shown(entry)}.")
        file, colon, offset = entry.rpartition(":")
        if colon and offset.isdecimal() and file.endswith(".ark"):
            raise ClipError("ark", f"wav.scp points into an archive, which is not read: {shown(entry)}.")
        return self._root.sound(entry)

    def _segments(self) -> Iterator[Item]:
        wav = dict(_pairs(self._wav))
        seconds = {id: number_of(s) for id, s in _pairs(self._place.child("reco2dur"))}
        for number, (id, rest) in enumerate(_pairs(self._place.child("segments")), 1):
            recording, *times = rest.split()
            if len(times) not in (2, 3):
                problem = ClipError("bad_line", f"Line {number} of segments is not: id recording start end.")
                yield Unnamed(id, NOWHERE, problem=problem)
            elif recording not in wav:
                problem = ClipError("no_audio", f"wav.scp has no recording {shown(recording)}.")
                yield Item(id, NOWHERE, problem=problem)
            else:
                whole = self._recording(id, wav[recording], seconds.get(recording))
                yield whole if whole.problem else _cut(whole, *times)

    def _lookup(self, name: str) -> Lookup:
        return Lookup(self._place.child(name))


class Lookup:
    """What one file of the folder says of each id, asked for in the order of another.

    Kaldi sorts them alike, so one line at a time is held; where they are not sorted, the whole file is.
    """

    def __init__(self, place: Place) -> None:
        ids = (id for id, _ in _pairs(place))
        self._all = None if all(a < b for a, b in pairwise(ids)) else dict(_pairs(place))
        self._place = place
        self._asked = ""
        self._rest = _pairs(place)
        self._next = next(self._rest, None)

    def get(self, id: str) -> str | None:
        """The rest of the id's line; None where the file has none."""
        if self._all is not None:
            return self._all.get(id)
        if id < self._asked:
            self._all = dict(_pairs(self._place))
            return self._all.get(id)
        self._asked = id
        while self._next is not None and self._next[0] < id:
            self._next = next(self._rest, None)
        return self._next[1] if self._next is not None and self._next[0] == id else None


def root_of(folder: Place, paths: Iterator[str]) -> Place:
    """Where relative paths start: the folder, or the working folder if only there the first is found."""
    first = next((p for p in paths if _RELATIVE.fullmatch(p)), None)
    if folder.is_local and first and not folder.child(first).exists() and Path(first).exists():
        return folder.to(str(Path.cwd()))
    return folder


def _text_problem(words: str) -> ClipError | None:
    try:
        words.encode()
    except UnicodeError:
        return ClipError("bad_text", "The line of this clip in text is not UTF-8.")
    return None


def _cut(whole: Item, start: str, end: str, channel: str = "0") -> Item:
    start_s, end_s = number_of(start), number_of(end)
    if start_s is None or end_s is None or start_s < 0 or (end_s <= start_s and end_s != TO_THE_END):
        message = f"A segment from {shown(start)} to {shown(end)} s is no part of a recording."
        return replace(whole, problem=ClipError("bad_span", message))
    if channel not in ("0", "A"):
        return replace(whole, problem=ClipError("channel", f"Channel {shown(channel)} alone is not read."))
    span_s = None if end_s == TO_THE_END else end_s - start_s
    return replace(whole, audio=replace(whole.audio, offset_s=start_s, span_s=span_s))


def _pairs(place: Place) -> Iterator[tuple[str, str]]:
    """The id and the rest of each line that is not blank; nothing where there is no file."""
    try:
        for line in filter(bytes.strip, place.lines()):
            id, *rest = line.decode(errors="surrogateescape").split(None, 1)
            yield id, rest[0].rstrip() if rest else ""
    except FileNotFoundError:
        return
