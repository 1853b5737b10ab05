"""JSON lines, one a clip, with the sound as files beside them."""

from __future__ import annotations

import json
from contextlib import ExitStack

from jobs.export.forms.base import Clip, Fact, Layout, hashing, line_of, write_file
from jobs.export.plan import Part


class JsonlForm:
    """Parts as JSON lines and a folder of sound each."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def open(self, part: Part) -> JsonlPart:
        """A part, ready for its first clip."""
        return JsonlPart(self._layout, part)


class JsonlPart:
    """Lines whose `audio` is relative to the export's folder."""

    def __init__(self, layout: Layout, part: Part) -> None:
        self._layout, self._part = layout, part
        self._stack = ExitStack()
        self._name = part.name(".jsonl")
        self._file = self._stack.enter_context(hashing(layout.out, self._name))
        self._sounds: list[Fact] = []

    def add(self, clip: Clip) -> None:
        """The next clip: its sound first."""
        name = sound_file(self._layout, self._part, clip, self._sounds)
        line = line_of(clip, name, self._layout.audio)
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def finish(self) -> list[Fact]:
        """The lines, complete, and the sounds."""
        self._stack.close()
        return [self._file.fact(self._name), *self._sounds]

    def abandon(self, error: BaseException) -> None:
        """Leave no lines."""
        self._stack.__exit__(type(error), error, error.__traceback__)


def sound_file(layout: Layout, part: Part, clip: Clip, sounds: list[Fact]) -> str | None:
    """Write the clip's sound into the part's folder, and note it; its name, or None without sound."""
    if clip.sound is None:
        return None
    name = f"{part.name('', 'audio')}/{clip.key}.{clip.sound.suffix}"
    sounds.append(write_file(layout.out, name, clip.sound.data))
    return name
