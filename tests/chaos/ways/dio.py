"""`pitch=dio`, noted."""

from __future__ import annotations

from collections.abc import Sequence

from annotators.pitch.dio import DioAnnotator
from pipeline.clip import Clip
from pipeline.rows import Pitch
from tests.chaos.ledger import note


class Noted(DioAnnotator):
    """As it is."""

    def annotate(self, clips: Sequence[Clip]) -> list[Pitch]:
        """Note and annotate."""
        note("pitch", clips)
        return super().annotate(clips)
