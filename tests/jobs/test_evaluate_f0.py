from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate import Case, evaluate
from jobs.evaluate.f0 import at_times, compare
from jobs.evaluate.report import Table
from pipeline.rows import Pitch, Row


def pitch(f0_hz: npt.ArrayLike, hop_s: float = 0.005) -> Pitch:
    return Pitch(None, None, None, None, None, hop_s, np.asarray(f0_hz, dtype=np.float32))


def table(reference: list[float], *rows: Row, frame_s: float = 0.015) -> Table:
    labels = {"f0_ref_hz": reference, "f0_frame_s": frame_s}
    return evaluate([Case("a", labels, Path(), rows={type(r): r for r in rows})]).table("f0")


def test_the_estimate_is_that_of_the_nearest_frame_and_unvoiced_past_the_end() -> None:
    f0_hz = np.array([100.0, 110.0, 120.0])
    assert at_times(f0_hz, 0.01, np.array([0.0, 0.0049, 0.006, 0.0249, 0.026])).tolist() == [
        100,
        100,
        110,
        120,
        0,
    ]


def test_every_figure_matches_a_hand_count() -> None:
    reference = [100.0, 100.0, 100.0, 100.0, 0.0, 0.0, 100.0, 100.0]
    estimate = [100.0, 101.0, 130.0, 205.0, 0.0, 90.0, 0.0, 51.0]
    found = table(reference, pitch(estimate, 0.015))
    percent = {r.name: r.value for r in found.results if r.unit == "%"}
    assert percent == pytest.approx(
        {
            "gross_error": 60.0,
            "voicing_error": 25.0,
            "voiced_missed": 12.5,
            "unvoiced_called": 12.5,
            "octave_error": 40.0,
        }
    )
    assert found.result("fine_error").value == pytest.approx(1200 * np.log2(1.01) / 2, abs=0.01)
    assert found.result("gross_error").n == 5
    assert found.result("voicing_error").n == 8


def test_twenty_percent_off_is_the_last_that_is_not_gross() -> None:
    points = compare(np.array([100.0, 100.0]), np.array([119.99, 120.01]))
    assert points["gross_error"].tolist() == [0, 1]


@given(st.lists(st.one_of(st.just(0.0), st.floats(60, 500)), min_size=1, max_size=60))
def test_a_perfect_contour_has_no_error(reference: list[float]) -> None:
    points = compare(np.array(reference), np.array(reference))
    assert all(not values.any() for values in points.values())


@given(st.floats(0.81, 1.19), st.lists(st.floats(60, 500), min_size=1, max_size=20))
def test_scaling_by_a_ratio_gives_that_ratio_in_cents(ratio: float, reference: list[float]) -> None:
    points = compare(np.array(reference), ratio * np.array(reference))
    assert np.median(points["fine_error"]) == pytest.approx(abs(1200 * np.log2(ratio)), abs=1e-6)


def test_reference_frame_i_lies_at_i_times_the_frame() -> None:
    estimate = 100 + np.arange(301)  # a contour that rises by 1 Hz every 5 ms
    found = table([100.0 + 3 * i for i in range(100)], pitch(estimate))
    assert found.result("fine_error").value == 0


def test_a_clip_without_voice_has_no_gross_error_and_a_voicing_error() -> None:
    found = table([0.0, 0.0], pitch([0.0] * 6))
    assert found.result("gross_error").value is None
    assert found.result("voicing_error").value == 0


def test_a_labelled_clip_without_a_row_is_missing_and_no_error() -> None:
    found = table([100.0])
    assert (found.n_labelled, found.n_measured, found.missing) == (1, 0, {"no pitch": 1})
    assert found.results == ()


@pytest.mark.parametrize("reference", [[], "100", [100.0, "high"], [100.0, True], [float("nan")], None])
def test_a_column_of_another_shape_is_no_label(reference: object) -> None:
    labels = {"f0_ref_hz": reference, "f0_frame_s": 0.015}
    assert evaluate([Case("a", labels, Path(), rows={Pitch: pitch([100.0])})]).tables == ()


@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_frames_of_which_nothing_is_known_are_left_out(unknown: float | None) -> None:
    labels = {"f0_ref_hz": [100.0, unknown, 0.0], "f0_frame_s": 0.005}
    found = evaluate([Case("a", labels, Path(), rows={Pitch: pitch([100.0, 100.0, 0.0])})]).table("f0")
    assert (found.result("voicing_error").n, found.result("voicing_error").value) == (2, 0)
