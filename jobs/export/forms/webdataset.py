"""Tar shards for WebDataset: `KEY.flac` and `KEY.json` of each clip, side by side."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import ExitStack
from typing import Any, cast

from jobs.export.forms.base import Clip, Fact, Layout, hashing, line_of
from jobs.export.plan import Part


class WebDatasetForm:
    """Parts as tar files."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def open(self, part: Part) -> WebDatasetPart:
        """A part, ready for its first clip."""
        return WebDatasetPart(self._layout, part.name(".tar"))


class WebDatasetPart:
    """One tar file; no member has a time, an owner or another's name."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._layout, self._name = layout, name
        self._stack = ExitStack()
        self._file = self._stack.enter_context(hashing(layout.out, name))
        stream = cast("Any", self._file)
        self._tar = self._stack.enter_context(
            tarfile.TarFile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT)
        )

    def add(self, clip: Clip) -> None:
        """The next clip; the JSON says in `audio` which member is its sound."""
        name = None if clip.sound is None else f"{clip.key}.{clip.sound.suffix}"
        line = line_of(clip, name, self._layout.audio)
        if clip.sound is not None:
            self._member(f"{clip.key}.{clip.sound.suffix}", clip.sound.data)
        self._member(f"{clip.key}.json", json.dumps(line, ensure_ascii=False).encode())

    def finish(self) -> list[Fact]:
        """The file, complete."""
        self._stack.close()
        return [self._file.fact(self._name)]

    def abandon(self, error: BaseException) -> None:
        """Leave nothing."""
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _member(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o644
        self._tar.addfile(member, io.BytesIO(data))
