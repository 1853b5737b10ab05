"""The mood as the source says it. It never guesses."""

from __future__ import annotations

from collections.abc import Sequence

from annotators.emotion._domains import given_emotion
from pipeline.annotator import Annotator, Skip
from pipeline.clip import Clip
from pipeline.rows import Emotion


class GivenAnnotator(Annotator[Emotion]):
    """The class of emotion where the source gives one it knows, else a skip."""

    row = Emotion
    version = 1
    sees = frozenset({"emotion"})

    def annotate(self, clips: Sequence[Clip]) -> list[Emotion | Skip]:
        """A row per clip whose emotion is known."""
        return [given_emotion(clip) or _skip(clip) for clip in clips]


def _skip(clip: Clip) -> Skip:
    if clip.given.emotion is None:
        return Skip("The source gives no emotion.")
    return Skip(f"The source's emotion {clip.given.emotion[:40]!r} is none of the classes.")
