"""The same function as an annotator of speechcraft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from benchmarks._peers.function import annotate
from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.rows import Column, Row


@dataclass(frozen=True, slots=True)
class Measures(Row):
    """What the function returns."""

    f0_median_hz: Annotated[float, Column("median F0", "Hz")]
    rms_dbfs: Annotated[float, Column("level", "dBFS")]
    words_per_s: Annotated[float, Column("words per second", "1/s")]


class MeasuresAnnotator(Annotator[Measures]):
    """One clip at a time, as the others have it."""

    row = Measures
    version = 1
    sees = frozenset({"text"})
    batch_clips = 1

    def annotate(self, clips: Sequence[Clip]) -> list[Measures]:
        """The measures; what the function raises becomes the clip's row."""
        return [Measures(**annotate(c.id, c.audio.url, c.given.text or "")) for c in clips]
