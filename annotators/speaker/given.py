"""Who speaks, as the source says it. It never guesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pipeline.annotator import Annotator, Skip
from pipeline.clip import Clip, Given
from pipeline.rows import Gender, Speaker


class GivenAnnotator(Annotator[Speaker]):
    """Gender and age where the source gives them; what it does not give stays null."""

    row = Speaker
    version = 1
    sees = frozenset({"gender", "age_years"})

    def annotate(self, clips: Sequence[Clip]) -> list[Speaker | Skip]:
        """A row per clip of which gender or age is known, else a skip."""
        return [_speaker(clip.given) for clip in clips]


def _speaker(given: Given) -> Speaker | Skip:
    if given.gender is None and given.age_years is None:
        return Skip("The source gives neither gender nor age.")
    return Speaker(
        gender=cast("Gender | None", given.gender),
        gender_source=None if given.gender is None else "given",
        gender_confidence=None,
        age_years=given.age_years,
        age_source=None if given.age_years is None else "given",
        age_confidence=None,
    )
