"""Pauses: the silences between words, from the times of the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pipeline.annotator import Annotator, Skip
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Column, Row, Word, Words


@dataclass(frozen=True, slots=True)
class Pauses(Row):
    """Where the speaker pauses."""

    n_pauses: Annotated[int, Column("pauses between the first and the last word")]
    longest_pause_s: Annotated[float | None, Column("the longest pause; null where there is none", "s")]
    longest_pause_after: Annotated[str | None, Column("the word before the longest pause")]


class PausesAnnotator(Annotator[Pauses]):
    """Counts the silences between words that are long enough to be heard as pauses."""

    row = Pauses
    version = 1
    needs = (Words,)

    def __init__(
        self,
        *,
        min_pause_s: Annotated[float, Option("the shortest silence that is a pause", "s", 0.05, 2)] = 0.25,
    ) -> None:
        self._min_pause_s = min_pause_s

    def annotate(self, clips: Sequence[Clip]) -> list[Pauses | Skip]:
        """One row per clip; a clip of one word is skipped."""
        return [self._pauses(clip.of(Words).words) for clip in clips]

    def _pauses(self, words: Sequence[Word]) -> Pauses | Skip:
        if len(words) < 2:
            return Skip("It takes two words to have a pause between them.")
        gaps = [(after.start_s - before.end_s, before.word) for before, after in pairwise(words)]
        pauses = [gap for gap in gaps if gap[0] >= self._min_pause_s]
        longest_s, word = max(pauses, default=(None, None), key=lambda pause: pause[0])
        return Pauses(len(pauses), longest_s, word)
