"""One clip as evaluation sees it: what people say of it beside what the run found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pipeline.clip import Samples
from pipeline.rows import Row, Transcript

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Case:
    """`labels` is the line of the label manifest, empty for a clip that nobody labelled.

    `given_used` names the fields of `Given` that the run was shown. `raw` and `speech` (enhanced
    where enhancement applied) are read only where a metric listens; None where there is no sound.
    """

    id: str
    labels: Mapping[str, object]
    labels_dir: Path
    given_used: frozenset[str] = frozenset()
    rows: Mapping[type[Row], Row] = field(default_factory=dict)
    raw: Callable[[], Samples] | None = None
    speech: Callable[[], Samples] | None = None

    def maybe(self, row: type[R]) -> R | None:
        """The clip's row of that family, or None where the run has none."""
        found = self.rows.get(row)
        return found if isinstance(found, row) else None

    @property
    def text_origin(self) -> str:
        """`given` where the run was told the words, else `recognised`."""
        transcript = self.maybe(Transcript)
        told = "text" in self.given_used or (transcript and transcript.transcript_source == "given")
        return "given" if told else "recognised"
