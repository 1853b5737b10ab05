"""A topic made from the level: what fails there fails here."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.rows import Energy, Topic


class LevelTopic(Annotator[Topic]):
    """The level in words."""

    row = Topic
    version = 1
    needs = (Energy,)

    def annotate(self, clips: Sequence[Clip]) -> list[Topic]:
        """The topics."""
        return [Topic(f"{clip.of(Energy).rms_dbfs:.6f}", "level") for clip in clips]
