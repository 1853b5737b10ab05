"""Which column means what, and how a row of columns becomes an item."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from pipeline.clip import AudioRef
from pipeline.errors import ClipError
from pipeline.source.base import NOWHERE, Item, Unnamed, shown
from pipeline.source.given import given_of, number_of, text_of, word_of
from pipeline.source.untaken import FOUND_BY, TELL_BY, found_by, untaken

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "clip_id", "utterance_id", "utt_id", "uttid", "utt", "key", "uid"),
    "audio": (
        *("audio", "audio_path", "audio_filepath", "audio_file", "audio_url", "wav", "wav_path", "sound"),
        *("path", "file", "file_path", "filepath", "file_name", "filename"),
    ),
    "text": ("text", "transcript", "transcription", "sentence", "raw_transcription", "normalized_text"),
    "language": ("language", "lang", "locale"),
    "speaker": ("speaker", "speaker_id", "spk", "spk_id", "client_id"),
    "gender": ("gender", "sex"),
    "age_years": ("age_years", "age"),
    "emotion": ("emotion",),
    "emphasis_word": ("emphasis_word",),
    "domain": ("domain",),
    "title": ("title",),
    "description": ("description",),
    "category": ("category",),
    "source": ("source",),
    "licence": ("licence", "license"),
    "attribution": ("attribution",),
    "offset_s": ("offset_s", "offset", "start_s", "start", "start_time"),
    "duration_s": ("duration_s", "duration", "dur"),
    "end_s": ("end_s", "end", "end_time"),
}
"""The names a column may have, in the order in which they count where a row has several."""

_MEANINGS = {alias: (field, rank) for field, aliases in NAMES.items() for rank, alias in enumerate(aliases)}


@lru_cache(maxsize=4096)
def meaning(column: str) -> tuple[str, int] | None:
    """The field a column is for, and how far down the list its name is; None: it is ignored."""
    return _MEANINGS.get(column.strip().lower())


def names_audio(columns: Iterable[str]) -> bool:
    """Whether one of the columns says where the sound is."""
    return any((found := meaning(c)) is not None and found[0] == "audio" for c in columns)


def ignored(columns: Iterable[str]) -> tuple[str, ...]:
    """Those that mean nothing here."""
    return tuple(c for c in columns if meaning(c) is None and c not in TELL_BY)


def fields_of(row: Mapping[str, object]) -> dict[str, object]:
    """The row under the names used here; blanks are left out, and of two names the earlier counts.

    What the row itself says an annotator found is left out too.
    """
    best: dict[str, tuple[int, object]] = {}
    for column, value in row.items():
        found = meaning(column)
        if found is None or value is None or value == "":
            continue
        field, rank = found
        if column in FOUND_BY and found_by(row, column) is not None:
            continue
        if field not in best or rank < best[field][0]:
            best[field] = (rank, value)
    return {field: value for field, (_, value) in best.items()}


def item_of(row: Mapping[str, object], locate: Callable[[str], AudioRef], fallback: str) -> Item:
    """The one item a row is. `fallback` is its name where neither an id nor the sound's path gives one."""
    fields = fields_of(row)
    path = path_of(fields.get("audio"))
    problem = None
    recording_s = None
    audio = NOWHERE
    try:
        if path is None:
            raise ClipError("no_audio", "The source names no sound for this clip.")
        audio = locate(path)
        offset_s, span_s, recording_s = span_of(fields)
        if offset_s is not None:
            audio = replace(audio, offset_s=offset_s, span_s=span_s)
    except ClipError as error:
        problem = error
    kind, id = identity(fields, path, fallback)
    left = untaken(row, fields)
    return kind(id, audio, given_of(fields), recording_s, problem, untaken=left)


def identity(fields: Mapping[str, object], path: str | None, fallback: str) -> tuple[type[Item], str]:
    """The id the row gives, or one made from the path of its sound."""
    given = word_of(fields.get("id"))
    if given is not None:
        return Item, given
    return Unnamed, (stem(path) if path else "") or fallback


def path_of(value: object) -> str | None:
    """The path in an audio column: itself, or the `path` of a mapping."""
    if isinstance(value, Mapping):
        value = value.get("path")
    return text_of(value) if isinstance(value, str) else None


def stem(path: str) -> str:
    """A path without extension; of an absolute path or a url only the last part."""
    path = path.strip()
    absolute = path.startswith(("/", "..")) or "://" in path
    return posixpath.splitext(posixpath.basename(path) if absolute else posixpath.normpath(path))[0]


def span_of(fields: Mapping[str, object]) -> tuple[float | None, float | None, float | None]:
    """offset_s, span_s, recording_s. A duration alone is the length of the recording, not a cut."""
    offset_s, end_s = _seconds(fields, "offset_s"), _seconds(fields, "end_s")
    if offset_s is None and end_s is None:
        duration_s = number_of(fields.get("duration_s"))
        return None, None, duration_s if duration_s is not None and duration_s > 0 else None
    start_s = offset_s or 0.0
    span_s = _seconds(fields, "duration_s")
    if span_s is None and end_s is not None:
        span_s = end_s - start_s
    if start_s < 0 or (span_s is not None and span_s <= 0):
        length = "" if span_s is None else f" for {span_s:g} s"
        raise ClipError(
            "bad_span", f"The clip starts at {start_s:g} s{length}, which is no part of a recording."
        )
    return start_s, span_s, None


def _seconds(fields: Mapping[str, object], name: str) -> float | None:
    if name not in fields:
        return None
    value = fields[name]
    if isinstance(value, float) and value != value:
        return None  # NaN is how a table says that it has none
    seconds = number_of(value)
    if seconds is None:
        raise ClipError("bad_span", f"{name} is {shown(str(value)[:200])}, not a number of seconds.")
    return seconds
