"""Lhotse manifests: recordings, supervisions and cuts, gzipped, with the sound as files beside them.

Paths are relative to the export's folder: `cuts.with_recording_path_prefix(folder)` makes them whole.
The words are the supervision's alignment; every column that Lhotse has no field for is in `custom`.
"""

from __future__ import annotations

import gzip
import json
from contextlib import ExitStack
from typing import Any, cast

from jobs.export.forms.base import Clip, Fact, Layout, hashing
from jobs.export.forms.jsonl import sound_file
from jobs.export.plan import Part
from jobs.export.sound import Encoded

KINDS = ("recordings", "supervisions", "cuts")
_OWN = ("id", "transcript", "language", "speaker", "gender", "duration_s", "words")
"""Columns that have a field of a supervision."""


class LhotseForm:
    """Parts as three manifests each and a folder of sound."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def open(self, part: Part) -> LhotsePart:
        """A part, ready for its first clip."""
        return LhotsePart(self._layout, part)


class LhotsePart:
    """A clip without sound has a supervision and no cut: a cut is of a recording."""

    def __init__(self, layout: Layout, part: Part) -> None:
        self._layout, self._part = layout, part
        self._stack = ExitStack()
        self._names = {kind: part.name(".jsonl.gz", kind) for kind in KINDS}
        self._files = {
            kind: self._stack.enter_context(hashing(layout.out, name)) for kind, name in self._names.items()
        }
        self._zipped = {
            kind: self._stack.enter_context(gzip.GzipFile("", "wb", fileobj=cast("Any", file), mtime=0))
            for kind, file in self._files.items()
        }
        self._sounds: list[Fact] = []

    def add(self, clip: Clip) -> None:
        """The next clip: its sound first."""
        row: dict[str, Any] = clip.row.to_pylist()[0]
        supervision = _supervision(clip, row)
        name = sound_file(self._layout, self._part, clip, self._sounds)
        if clip.sound is not None and name is not None:
            recording = _recording(clip, clip.sound, name, row)
            channels = recording["channel_ids"]
            whole = len(channels) == 1
            supervision |= {"duration": recording["duration"], "channel": channels[0] if whole else channels}
            self._write("recordings", recording)
            self._write("cuts", _cut(clip.id, recording, supervision))
        self._write("supervisions", supervision)

    def finish(self) -> list[Fact]:
        """The manifests, complete, and the sounds."""
        self._stack.close()
        return [*(self._files[kind].fact(self._names[kind]) for kind in KINDS), *self._sounds]

    def abandon(self, error: BaseException) -> None:
        """Leave no manifest."""
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _write(self, kind: str, line: dict[str, Any]) -> None:
        self._zipped[kind].write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _recording(clip: Clip, sound: Encoded, name: str, row: dict[str, Any]) -> dict[str, Any]:
    frames = sound.frames
    if frames is None:
        frames = round((row.get("duration_s") or 0.0) * sound.rate_hz)
    return {
        "id": clip.id,
        "sources": [{"type": "file", "channels": list(range(sound.channels)), "source": name}],
        "sampling_rate": sound.rate_hz,
        "num_samples": frames,
        "duration": frames / sound.rate_hz,
        "channel_ids": list(range(sound.channels)),
    }


def _supervision(clip: Clip, row: dict[str, Any]) -> dict[str, Any]:
    words = row.get("words") or []
    # [word, start, duration, score]
    items = [[w["word"], w["start_s"], round(w["end_s"] - w["start_s"], 6), None] for w in words]
    custom = {name: value for name, value in row.items() if name not in _OWN and value is not None}
    line: dict[str, Any] = {
        "id": clip.id,
        "recording_id": clip.id,
        "start": 0.0,
        "duration": row.get("duration_s") or 0.0,
        "channel": 0,
        "text": row.get("transcript"),
        "language": row.get("language"),
        "speaker": row.get("speaker"),
        "gender": row.get("gender"),
        "custom": custom,
    }
    if items:
        line["alignment"] = {"word": items}
    return {name: value for name, value in line.items() if value is not None}


def _cut(clip_id: str, recording: dict[str, Any], supervision: dict[str, Any]) -> dict[str, Any]:
    channels = recording["channel_ids"]
    return {
        "id": clip_id,
        "start": 0.0,
        "duration": recording["duration"],
        "channel": channels[0] if len(channels) == 1 else channels,
        "supervisions": [supervision],
        "recording": recording,
        "type": "MonoCut" if len(channels) == 1 else "MultiCut",
    }
