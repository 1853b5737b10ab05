"""`sound=decode`, noted."""

from __future__ import annotations

from collections.abc import Sequence

from annotators.sound.decode import DecodeAnnotator
from pipeline.annotator import Heard, Skip
from pipeline.clip import Clip
from pipeline.errors import ClipError
from pipeline.rows import Sound
from tests.chaos.ledger import note


class Noted(DecodeAnnotator):
    """As it is."""

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Sound] | Skip | ClipError]:
        """Note and hear."""
        note("sound", clips)
        return super().hear(clips)
