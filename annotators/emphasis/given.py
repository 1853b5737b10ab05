"""The stressed word as the source says it. It never guesses."""

from __future__ import annotations

from collections.abc import Sequence

from annotators.emphasis._given import given_emphasis
from pipeline.annotator import Annotator, Skip
from pipeline.clip import Clip
from pipeline.rows import Emphasis, Language, Transcript


class GivenAnnotator(Annotator[Emphasis]):
    """The stressed word where the source gives one, else a skip."""

    row = Emphasis
    version = 1
    wants = (Transcript, Language)
    sees = frozenset({"emphasis_word"})

    def annotate(self, clips: Sequence[Clip]) -> list[Emphasis | Skip]:
        """A row per clip whose stressed word is known."""
        return [given_emphasis(clip) or Skip("The source gives no stressed word.") for clip in clips]
