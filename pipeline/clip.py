"""A clip: where its sound is, what is given of it, and what annotators have found so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.errors import ClipError
from pipeline.rows import Row

SAMPLE_RATE_HZ = 16_000
"""Every annotator hears mono sound at this rate; the native sound is measured at decoding."""

Samples = npt.NDArray[np.float32]  # [n_samples], -1..1, mono, 16 kHz
R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class AudioRef:
    """Where the sound is, and which version of it.

    `part` locates it inside a container, `tar:OFFSET+SIZE` (bytes) or `row:N:COLUMN` (a parquet or arrow
    row). `offset_s` and `span_s` cut a piece out of the recording; both None means all of it.
    `version` is whatever changes when the bytes change: mtime in ns, an etag.
    """

    url: str
    part: str | None = None
    offset_s: float | None = None
    span_s: float | None = None
    size_bytes: int | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What the source already says of a clip. None: it says nothing."""

    text: str | None = None
    language: str | None = None
    speaker: str | None = None
    gender: str | None = None
    age_years: float | None = None
    emotion: str | None = None
    emphasis_word: str | None = None
    domain: str | None = None
    title: str | None = None
    description: str | None = None
    category: str | None = None
    source: str | None = None
    licence: str | None = None
    attribution: str | None = None

    def only(self, names: frozenset[str]) -> Given:
        """The same with every other field None: an annotator sees what it declares, no more."""
        return Given(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a clip has no row of a family."""

    status: str
    error: str


@dataclass(slots=True)
class Clip:
    """What an annotator is handed. Read `audio`, `given`, `speech` and `of(...)`; change nothing."""

    id: str
    audio: AudioRef
    given: Given
    rows: Mapping[type[Row], Row | Absent] = field(default_factory=dict)
    listen: Callable[[], Samples] | None = None

    @property
    def speech(self) -> Samples:
        """The sound this annotator listens to: mono float32 at 16 kHz, [n_samples], -1..1."""
        if self.listen is None:
            raise ClipError("no_sound", "This annotator does not declare that it listens.")
        return self.listen()

    def maybe(self, row: type[R]) -> R | None:
        """The clip's row of that family, or None where it has none."""
        found = self.rows.get(row)
        return found if isinstance(found, row) else None

    def of(self, row: type[R]) -> R:
        """The clip's row of that family; guaranteed for every family in `needs`."""
        found = self.maybe(row)
        if found is None:
            raise ClipError(f"needs_{row.family}", f"The clip has no {row.family}.")
        return found
