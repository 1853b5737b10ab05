"""A batch gives what its clips give one by one, whatever its make-up, and fails only where it must."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.annotator import Annotator, BatchedAnnotator, Skip
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Clip, Given
from pipeline.engine.work import Clips, run_way
from pipeline.errors import ClipError
from pipeline.job import Job, make_job
from pipeline.rows import Column, Language, Row, Sound
from pipeline.sounds import Pcm
from pipeline.source.base import Item
from pipeline.way import SOUND, Way, WaySpec
from tests.fakes import FakeLanguage, FakeSound


@dataclass(frozen=True, slots=True)
class Length(Row):
    """How long the clip is."""

    n_samples: Annotated[int, Column("samples")]


class BatchedLength(BatchedAnnotator[Length, list[int]]):
    """Counts samples in padded batches; runs out of memory over more than four seconds."""

    row = Length
    version = 1
    hears = "raw"
    batch_clips = 8
    batch_s = 10.0
    seen: list[list[str]]

    def __init__(self) -> None:
        self.seen = []

    def prepare(self, clips: Sequence[Clip]) -> list[int]:
        """The lengths."""
        return [len(clip.speech) for clip in clips]

    def infer(self, clips: Sequence[Clip], batch: list[int]) -> list[Length | Skip | ClipError]:
        """The rows."""
        self.seen.append([clip.id for clip in clips])
        if max(batch) * len(batch) > 4 * SAMPLE_RATE_HZ:
            raise OutOfMemoryError
        return [Length(n) for n in batch]


class OutOfMemoryError(RuntimeError):
    """As torch calls it."""


class Liar(Annotator[Length]):
    """Returns a row too few."""

    row = Length
    version = 1

    def annotate(self, clips: Sequence[Clip]) -> list[Length]:
        """Too few."""
        return [Length(1) for _ in clips[1:]]


class EnglishOnly(Annotator[Length]):
    """Serves English."""

    row = Length
    version = 1
    languages = frozenset({"en"})

    def annotate(self, clips: Sequence[Clip]) -> list[Length]:
        """One each."""
        return [Length(1) for _ in clips]


def job_with(cls: type[Annotator[Length]]) -> tuple[Job, Way]:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("language", "fake", FakeLanguage),
        WaySpec("length", "test", cls),
    ]
    job = make_job(specs)
    return job, job.of("length")[0]


def clips_of(seconds: Sequence[float], languages: Sequence[str | None] | None = None) -> Clips:
    items = [Item(f"clip-{i}", AudioRef("x"), Given()) for i in range(len(seconds))]
    row = Sound(1.0, SAMPLE_RATE_HZ, 1, "fake", -6.0, 0.0, 8000.0, "hash")
    spoken = languages or ["en"] * len(seconds)
    return Clips(
        items,
        {Sound: [row] * len(items), Language: [Language(s, "given", None) for s in spoken]},
        {SOUND: [Pcm.of(np.full(round(s * SAMPLE_RATE_HZ), 0.1, np.float32)) for s in seconds]},
    )


@given(st.lists(st.floats(0.01, 5), max_size=20))
def test_every_clip_has_its_own_outcome_in_its_own_place_however_batches_are_made(
    seconds: list[float],
) -> None:
    _, way = job_with(BatchedLength)
    outcomes = run_way(BatchedLength(), way, clips_of(seconds)).outcomes
    for wanted, found in zip(seconds, outcomes, strict=True):
        if wanted > 4.0:
            assert isinstance(found, ClipError)
            assert found.code == "oom"
        else:
            assert found == Length(round(wanted * SAMPLE_RATE_HZ))


def test_batches_hold_clips_of_like_length_the_longest_first() -> None:
    _, way = job_with(BatchedLength)
    annotator = BatchedLength()
    run_way(annotator, way, clips_of([0.1, 1.0, 0.2, 0.9]))
    assert annotator.seen == [["clip-1", "clip-3", "clip-2", "clip-0"]]


def test_a_batch_that_does_not_fit_is_halved_and_not_taken_apart() -> None:
    _, way = job_with(BatchedLength)
    annotator = BatchedLength()
    run_way(annotator, way, clips_of([1.0] * 8))
    assert [len(batch) for batch in annotator.seen] == [8, 4, 4]


def test_no_batch_holds_more_sound_than_it_may() -> None:
    _, way = job_with(BatchedLength)
    annotator = BatchedLength()
    run_way(annotator, way, clips_of([4.0, 4.0, 4.0, 0.1]))
    assert [len(batch) for batch in annotator.seen] == [2, 1, 1, 2, 1, 1]  # two do not fit and are halved


def test_a_row_too_few_fails_the_clip_and_moves_no_other() -> None:
    _, way = job_with(Liar)
    outcomes = run_way(Liar(), way, clips_of([0.1, 0.1])).outcomes
    assert [o.code for o in outcomes if isinstance(o, ClipError)] == ["bad_batch", "bad_batch"]


@pytest.mark.parametrize("language", ["zh", None])
def test_a_language_that_is_not_served_is_skipped_and_no_error(language: str | None) -> None:
    _, way = job_with(EnglishOnly)
    outcomes = run_way(EnglishOnly(), way, clips_of([0.1, 0.1], ["en", language])).outcomes
    assert outcomes[0] == Length(1)
    assert isinstance(outcomes[1], Skip)
