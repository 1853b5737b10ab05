"""What the columns of an export are: a line each, and none without a meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from jobs.export.forms.base import WHERE
from jobs.export.judged import Judged, meaning
from jobs.export.plain import plain
from jobs.export.request import Request

OWN: Mapping[str, str] = {
    "id": "the clip",
    "offset_s": "where in its recording the clip began, in s; null for a whole recording",
    "speaker": "who speaks, as the source names them",
    "domain": "what kind of recording it is, as the source says",
    "title": "the title its source gives it",
    "category": "the category its source gives it",
    "source": "where it is from",
    "licence": "the licence of the clip, as the source states it",
    "attribution": "who is to be named",
    "status": "ok, or failed",
    "error": "what failed, and why",
    "skipped": "what was not tried, and why",
    "review": "what people said of the clip: attribute, verdict (confirmed, corrected or rejected) and how "
    "many of them said so; null where nobody judged it",
}
"""Of the columns that belong to no family."""
_SOUND = {
    "hf": ("Audio", "the sound, which the library datasets decodes; null where there is none"),
    "parquet": ("struct", "the sound: its file's bytes, and a name for it; null where there is none"),
    "jsonl": ("string", "the file of the sound, from this folder; null where there is none"),
    "webdataset": ("string", "the file of the sound in the tar; null where there is none"),
}
"""By form: the type and the meaning of `audio` where it holds the sound."""
_PLACES = {
    "audio": "the file or archive that the sound is in",
    "audio_part": "the part of an archive that the sound is; null for a whole file",
    "offset_s": OWN["offset_s"],
}


def meanings(schema: pa.Schema, request: Request, labels: Sequence[Judged]) -> list[tuple[str, ...]]:
    """Name, type, unit and meaning of each column of an export with this schema."""
    sound = dict(_sound(request))
    rows = {field.name: _column(field, meaning(field.name, labels)) for field in schema}
    return [rows.pop("id"), *sound.values(), *(row for name, row in rows.items() if name not in sound)]


def _sound(request: Request) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a row of this form says of its sound, which is no column of the run."""
    if request.audio == "path" and request.to in _SOUND:
        for name, kind in WHERE.items():
            yield name, (name, str(kind), "", _PLACES[name])
    elif request.audio == "embed" and request.to in _SOUND:
        yield "audio", ("audio", _SOUND[request.to][0], "", _SOUND[request.to][1])


def _column(field: pa.Field[Any], more: str) -> tuple[str, ...]:
    meta = field.metadata or {}
    kind = "list" if isinstance(field.type, pa.ListType) else str(field.type)
    doc = meta.get(b"doc", OWN.get(field.name, "").encode()).decode()
    return field.name, kind, meta.get(b"unit", b"").decode(), "; ".join(filter(None, (plain(doc), more)))
