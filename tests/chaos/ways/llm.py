"""`caption=llm`, noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from annotators.caption.llm import LlmAnnotator
from pipeline.clip import Clip
from pipeline.journal import Journal
from pipeline.rows import Caption
from tests.chaos.ledger import note


class Noted(LlmAnnotator):
    """As it is."""

    def ask(self, clips: Sequence[Clip], journal: Journal, alive: Callable[[], None]) -> list[Caption]:
        """Note and ask."""
        note("caption", clips)
        return super().ask(clips, journal, alive)
