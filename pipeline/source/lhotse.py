"""A Lhotse manifest: cuts or recordings, one JSON object per line. Lhotse itself is not needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Annotated, Any

from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError, SourceError
from pipeline.options import Option
from pipeline.source.base import NOTHING_GIVEN, NOWHERE, Item, Source, Unnamed, shown
from pipeline.source.columns import fields_of
from pipeline.source.given import given_of, number_of, text_of, word_of
from pipeline.source.kaldi import root_of
from pipeline.source.manifest import HEAD_ROWS, Row, json_rows, rows_of
from pipeline.source.place import Place
from pipeline.source.untaken import GIVEN, TELL_BY, Untaken, is_finder, untaken

_HARMLESS = frozenset({"Resample"})  # the sound is resampled anyway
_TIME_TOLERANCE_S = 1e-3  # a cut this close to its recording's ends is all of it


class LhotseSource(Source):
    """One item per cut, or per recording where the lines are recordings.

    What exists only after processing (mixed or padded cuts, speed and other transforms, one channel of
    several, a command) is an item with a problem. Several supervisions of a cut make one text.
    """

    form = "lhotse"

    def __init__(
        self,
        url: str,
        *,
        audio_root: Annotated[
            str | None, Option("where relative paths start; found by trying if none is named")
        ] = None,
    ) -> None:
        self._place = Place.at(url)
        try:
            head = list(islice(json_rows(self._place), HEAD_ROWS))
        except (OSError, EOFError) as error:
            raise SourceError(f"{shown(url)} cannot be read: {error}") from error
        if not any(is_lhotse(row) for row in head):
            raise SourceError(f"No line of {shown(url)} is a Lhotse cut or recording.")
        paths = (str(_first_source(row).get("source", "")) for row in head if isinstance(row, Mapping))
        self._root = Place.at(audio_root) if audio_root else root_of(self._place.folder, paths)

    def _items(self) -> Iterator[Item]:
        for number, row in enumerate(rows_of(json_rows, self._place), 1):
            yield self._item(row, f"row-{number}")

    def _item(self, row: Row, fallback: str) -> Item:
        if isinstance(row, ClipError):
            return Unnamed(fallback, NOWHERE, problem=row)
        given_id = word_of(row.get("id"))
        kind, id = (Item, given_id) if given_id else (Unnamed, fallback)
        is_cut = "sources" not in row
        given, left = _given(row) if is_cut else (NOTHING_GIVEN, ())
        try:
            audio, recording_s = self._cut(row) if is_cut else self._recording(row, None)
        except ClipError as problem:
            return kind(id, NOWHERE, given, problem=problem, untaken=left)
        return kind(id, audio, given, recording_s, untaken=left)

    def _cut(self, cut: Mapping[str, Any]) -> tuple[AudioRef, float | None]:
        if cut.get("type", "MonoCut") not in ("MonoCut", "MultiCut"):
            raise ClipError("unsupported_cut", f"A {shown(str(cut['type']))} is no piece of one recording.")
        recording = cut.get("recording")
        if not isinstance(recording, Mapping):
            raise ClipError("no_audio", "The cut has no recording.")
        audio, recording_s = self._recording(recording, cut.get("channel"))
        start_s, span_s = number_of(cut.get("start", 0.0)), number_of(cut.get("duration"))
        if start_s is None or span_s is None or start_s < 0 or span_s <= 0:
            raise ClipError("bad_span", "The cut's start and duration are no part of a recording.")
        if start_s == 0 and recording_s is not None and abs(span_s - recording_s) <= _TIME_TOLERANCE_S:
            return audio, recording_s
        return replace(audio, offset_s=start_s, span_s=span_s), recording_s

    def _recording(self, recording: Mapping[str, Any], channel: object) -> tuple[AudioRef, float | None]:
        source = _source(recording, channel)
        kind, path = source.get("type"), source.get("source")
        if kind == "command":
            raise ClipError("pipe", "The recording is a command, which is never run.")
        if kind not in ("file", "url") or not isinstance(path, str) or not path.strip():
            raise ClipError("no_audio", f"The recording is of type {shown(str(kind))}, which names no file.")
        for transform in _list(recording.get("transforms")):
            name = transform.get("name") if isinstance(transform, Mapping) else transform
            if str(name) not in _HARMLESS:
                raise ClipError("transform", f"The recording is to be changed by {shown(str(name))}.")
        seconds = number_of(recording.get("duration"))
        return self._root.sound(path), seconds if seconds and seconds > 0 else None


def is_lhotse(row: Row) -> bool:
    """Whether a line is a cut or a recording."""
    if isinstance(row, ClipError):
        return False
    is_cut = str(row.get("type", "")).endswith("Cut") or {"supervisions", "start", "duration"} <= set(row)
    return is_cut or {"sources", "sampling_rate"} <= set(row)


def _source(recording: Mapping[str, Any], channel: object) -> Mapping[str, Any]:
    """The one file that holds what is wanted: all channels (None), or exactly these."""
    sources = [s for s in _list(recording.get("sources")) if isinstance(s, Mapping)]
    wanted = channel if isinstance(channel, list) else [channel]
    for source in sources:
        if source.get("channels", wanted) == wanted or (channel is None and len(sources) == 1):
            return source
    if not sources:
        raise ClipError("no_audio", "The recording has no sources.")
    raise ClipError("channel", f"No file of the recording holds channel {shown(str(channel))} and no other.")


def _first_source(row: Mapping[str, Any]) -> Mapping[str, Any]:
    recording = row.get("recording", row)
    sources = _list(recording.get("sources")) if isinstance(recording, Mapping) else []
    return next((s for s in sources if isinstance(s, Mapping) and s.get("type") == "file"), {})


def _given(cut: Mapping[str, Any]) -> tuple[Given, tuple[Untaken, ...]]:
    """What the supervisions say: texts one after another, and what all of them agree on; what is not taken.

    Who found a value stands in `custom`, where an export of ours has it.
    """
    found = [s for s in _list(cut.get("supervisions")) if isinstance(s, Mapping)]
    found.sort(key=lambda s: number_of(s.get("start")) or 0.0)
    texts = [text for s in found if (text := text_of(s.get("text"))) is not None]
    customs = [c if isinstance(c := s.get("custom"), Mapping) else {} for s in found]
    row: dict[str, object] = {"transcript": " ".join(texts) or None}
    for name in ("language", "speaker", "gender"):
        row[name] = _agreed([s.get(name) for s in found])
    for name in ("age", "age_years", "emotion"):
        row[name] = _agreed([c.get(name) for c in customs])
    row |= {name: _finder(name, [c.get(name) for c in customs]) for name in TELL_BY}
    fields = fields_of(row)
    return given_of(fields), untaken(row, fields)


def _finder(tells: str, named: list[object]) -> str | None:
    """Who found what several supervisions say: an annotator, if it was one anywhere."""
    words = [word for value in named if (word := word_of(value)) is not None]
    words.sort(key=lambda word: (not is_finder(tells, word), word.casefold() in GIVEN))
    return words[0] if words else None


def _agreed(values: list[object]) -> object:
    said = [word for value in values if (word := word_of(value)) is not None]
    return said[0] if said and len(said) == len(values) and len(set(said)) == 1 else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
