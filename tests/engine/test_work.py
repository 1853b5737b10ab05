"""N clips in, N outcomes out, whatever an annotator gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest

from pipeline.annotator import Annotator, Heard, SoundAnnotator
from pipeline.clip import Absent, AudioRef, Clip
from pipeline.engine.work import BYTES_PER_S, Clips, run_way
from pipeline.errors import ClipError
from pipeline.job import make_job
from pipeline.rows import Column, Curve, Row, Sound, Span
from pipeline.source.base import Item
from pipeline.way import Way, WaySpec
from tests.fakes import Peak, Rank, items_of


@dataclass(frozen=True, slots=True)
class Many(Row):
    """A field of every kind."""

    number: Annotated[float | None, Column("a number")] = 1.0
    whole: Annotated[int, Column("a whole number")] = 1
    flag: Annotated[bool, Column("a flag")] = True
    text: Annotated[str, Column("text")] = "a\n\0/"
    spans: Annotated[tuple[Span, ...], Column("pieces")] = ()
    curve: Annotated[Curve | None, Column("a curve")] = None


def many(**values: Any) -> Any:
    return Many(**values)


class Answers(Annotator[Many]):
    """Answers what it is told for clip-1, and a good row for the others."""

    row = Many
    version = 1
    answer: Callable[[], Any] = Many

    def annotate(self, clips: Sequence[Clip]) -> list[Any]:
        """What it is told."""
        return [type(self).answer() if clip.id == "clip-1" else Many() for clip in clips]


def way_of(cls: type[Annotator[Any]]) -> Way:
    return make_job([WaySpec(cls.row.family, "fake", cls)]).ways[0]


@pytest.mark.parametrize(
    ("answer", "broken"),
    [
        (lambda: None, "None is no Many"),
        (lambda: "a row", "'a row' is no Many"),
        (lambda: Rank("low"), "is no Many"),
        (lambda: many(number="x"), "number is 'x', not a number"),
        (lambda: many(number=np.float32("nan")), "number is nan"),
        (lambda: many(number=True), "number is True, not a number"),
        (lambda: many(whole=1.5), r"whole is 1\.5, not a whole number"),
        (lambda: many(whole=2**70), "which 64 bits cannot hold"),
        (lambda: many(whole=None), "whole is null"),
        (lambda: many(flag=1), "flag is 1, not true or false"),
        (lambda: many(text=b"x"), "text is b'x', not text"),
        (lambda: many(text="\ud800"), "text holds half of a surrogate pair"),
        (lambda: many(spans=Span(0.0, 1.0)), "not a tuple"),
        (lambda: many(spans=(Span(0.0, 1.0), Span(0.0, float("inf")))), r"spans \[1\] span_s is inf"),
        (lambda: many(curve=[1.0]), "curve is not an array"),
        (lambda: many(curve=np.full(2, np.nan, np.float32)), "curve holds values that are not finite"),
    ],
)
def test_a_row_no_column_can_hold_costs_its_own_clip_only(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any], broken: str
) -> None:
    monkeypatch.setattr(Answers, "answer", staticmethod(answer))
    outcomes = run_way(Answers(), way_of(Answers), Clips(items_of(3))).outcomes
    assert [isinstance(o, Many) for o in outcomes] == [True, False, True]
    error = outcomes[1]
    assert isinstance(error, ClipError)
    assert error.code == "bad_row"
    with pytest.raises(ClipError, match=broken):
        raise error


class Short(Annotator[Peak]):
    """Gives one row less than it was handed."""

    row = Peak
    version = 1

    def annotate(self, clips: Sequence[Clip]) -> list[Peak]:
        """All but one."""
        return [Peak(1.0)] * (len(clips) - 1)


def test_rows_that_are_missing_are_said_to_be() -> None:
    outcomes = run_way(Short(), way_of(Short), Clips(items_of(3))).outcomes
    assert [o.code for o in outcomes if isinstance(o, ClipError)] == ["bad_batch"] * 3


class Broken(Annotator[Peak]):
    """Cannot read what is given of clip-1."""

    row = Peak
    version = 1

    @classmethod
    def from_given(cls, clip: Clip) -> Peak:
        """One, where it can."""
        return Peak(1.0 / (clip.id != "clip-1"))


def test_what_is_given_and_cannot_be_read_costs_its_own_clip_only() -> None:
    outcomes = run_way(Broken(), way_of(Broken), Clips(items_of(3))).outcomes
    assert [isinstance(o, Peak) for o in outcomes] == [True, False, True]


class Noise(SoundAnnotator[Sound]):
    """Sound of clip-1 that is none."""

    row = Sound
    version = 1
    samples = np.full(10, np.nan, np.float32)

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Sound]]:
        """The sound."""
        row = Sound(0.1, 16_000, 1, "fake", None, 0.0, None, "")
        return [Heard(row, self.samples if c.id == "clip-1" else np.zeros(10, np.float32)) for c in clips]


@pytest.mark.parametrize(
    "samples",
    [np.full(10, np.nan, np.float32), np.full(10, -np.inf, np.float32), np.zeros((2, 10), np.float32)],
)
def test_sound_that_is_none_costs_its_own_clip_only(
    monkeypatch: pytest.MonkeyPatch, samples: np.ndarray[Any, Any]
) -> None:
    monkeypatch.setattr(Noise, "samples", samples)
    result = run_way(Noise(), way_of(Noise), Clips(items_of(3)))
    assert [o.code if isinstance(o, ClipError) else "ok" for o in result.outcomes] == [
        "ok",
        "bad_sound",
        "ok",
    ]
    assert [s is None for s in result.sounds or []] == [False, True, False]


class One(Short):
    """A first way."""


class Two(Short):
    """A second way."""


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_preferred_way_stands_whichever_was_known_first(order: tuple[int, int]) -> None:
    ways = make_job([WaySpec("peak", "one", One), WaySpec("peak", "two", Two)]).ways
    skipped, failed = Absent("skipped", "not mine"), Absent("failed", "decode: no")
    found: list[list[Row | Absent]] = [
        [Peak(1.0), skipped, failed, failed, skipped],
        [Peak(2.0), Peak(2.0), Peak(2.0), Absent("failed", "b: no"), failed],
    ]
    clips = Clips(items_of(5))
    for number in order:
        clips.add(ways[number], found[number])
    assert clips.rows[Peak] == [Peak(1.0), Peak(2.0), Peak(2.0), failed, failed]


@pytest.mark.parametrize(
    ("item", "seconds"),
    [
        (Item("a", AudioRef("a", offset_s=1.0, span_s=2.0), recording_s=60.0), 2.0),
        (Item("a", AudioRef("a", size_bytes=1), recording_s=60.0), 60.0),
        (Item("a", AudioRef("a", size_bytes=7 * BYTES_PER_S)), 7.0),
        (Item("a", AudioRef("a")), 0.0),
    ],
)
def test_before_it_is_decoded_a_clip_is_as_long_as_its_source_tells(item: Item, seconds: float) -> None:
    assert Clips([item]).seconds(0) == seconds


def test_sound_is_held_for_one_batch_at_a_time() -> None:
    held: list[Any] = []

    class Holds(Short):
        """Notes how many clips are alive."""

        batch_clips = 2

        def annotate(self, clips: Sequence[Clip]) -> list[Peak]:
            """Two at a time."""
            import gc

            held.append(sum(type(o) is Clip for o in gc.get_objects()))
            return [Peak(1.0) for _ in clips]

    run_way(Holds(), way_of(Holds), Clips(items_of(40)))
    assert max(held) <= held[0] + 2
