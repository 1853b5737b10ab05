"""A speed made from the topic, that fails on the clips that a file names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Speed, Topic


class FaultySpeed(Annotator[Speed]):
    """Each line of the file is `id code`."""

    row = Speed
    version = 1
    needs = (Topic,)

    def __init__(
        self,
        *,
        faults: Annotated[str, Option("the file", identity=False)],
        words: Annotated[int, Option("words per second")] = 1,
    ) -> None:
        self._faults, self._words = Path(faults), words

    def annotate(self, clips: Sequence[Clip]) -> list[Speed | ClipError]:
        """The speeds."""
        faults = dict(line.split() for line in self._faults.read_text().splitlines())
        return [
            ClipError(faults[clip.id], "it was told to")
            if clip.id in faults
            else Speed(float(self._words), None, None, None, 1.0, 0.0)
            for clip in clips
        ]
