"""The lines of a training's tables: what an interval draws is said, and a confusion counts every clip."""

from __future__ import annotations

import numpy as np

from jobs.train._tables import confusion, line, table


def test_an_interval_draws_speakers_and_clips_where_those_are_too_few() -> None:
    points = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    many = line("p", "f", points, list("aabbccdd"))
    few = line("p", "f", points, list("aaaabbbb"))
    assert (many.n_speakers, many.drawn) == (4, "speakers")
    assert (few.n_speakers, few.drawn) == (2, "clips")
    assert few.low is not None
    assert few.high is not None
    assert 0.0 < few.low < 0.625 < few.high <= 1.0
    assert table("t", [few]).splitlines()[-1].endswith("| 8 | 2 | clips |")


def test_one_speaker_has_an_interval_over_clips() -> None:
    assert line("p", "f", np.array([1.0, 0.0]), ["a", "a"]).drawn == "clips"
    assert line("p", "f", np.array([1.0, 0.0] * 9), ["a"] * 18).low is not None


def test_a_confusion_counts_what_is_called_nothing_too() -> None:
    made = confusion("t", ("a", "b"), [("a", "a"), ("a", None), ("b", "a")])
    assert made.splitlines()[2:4] == ["| a | 1 | 0 | 1 |", "| b | 1 | 0 | 0 |"]
