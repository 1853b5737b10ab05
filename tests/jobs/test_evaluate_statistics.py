from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate.statistics import CORRELATION, MEAN, MEDIAN, RATIO, Statistic, interval, value

numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20)


@given(numbers)
def test_the_unweighted_median_is_numpys(points: list[float]) -> None:
    found = value(MEDIAN, np.array(points))
    assert found == pytest.approx(np.median(points))


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 4)), min_size=1, max_size=20))
def test_weighing_twice_is_repeating_twice(drawn: list[tuple[float, int]]) -> None:
    points, times = np.array([p for p, _ in drawn]), [n for _, n in drawn]
    repeated = np.repeat(points, times)
    for statistic, expected in ((MEAN, np.mean), (MEDIAN, np.median)):
        found = statistic.prepare(points)(np.array(times, dtype=float))
        assert math.isnan(found) if not len(repeated) else found == pytest.approx(expected(repeated))


def test_a_ratio_sums_before_it_divides_and_counts_the_whole() -> None:
    points = np.array([[1, 2], [0, 8]], dtype=float)
    assert value(RATIO, points) == 0.1
    assert RATIO.count(points) == 10


def test_correlation_is_pearsons() -> None:
    points = np.random.default_rng(0).standard_normal(100).reshape(50, 2)
    assert value(CORRELATION, points) == pytest.approx(np.corrcoef(*points.T)[0, 1])


@pytest.mark.parametrize(
    ("statistic", "points"),
    [
        (MEAN, np.zeros(0)),
        (MEDIAN, np.zeros(0)),
        (RATIO, np.zeros((3, 2))),
        (CORRELATION, np.ones((3, 2))),
        (CORRELATION, np.zeros((0, 2))),
    ],
)
def test_what_is_undefined_is_none(statistic: Statistic, points: np.ndarray) -> None:
    assert value(statistic, points) is None


def test_the_same_points_give_the_same_interval() -> None:
    points, clusters = np.random.default_rng(0).standard_normal(40), np.arange(40) // 4
    assert interval(MEAN, points, clusters) == interval(MEAN, points, clusters)


def test_one_cluster_has_no_interval() -> None:
    assert interval(MEAN, np.arange(5.0), np.zeros(5, dtype=np.intp)) is None
    assert interval(MEAN, np.zeros(0), np.zeros(0, dtype=np.intp)) is None


def test_a_statistic_that_is_mostly_undefined_has_no_interval() -> None:
    assert interval(CORRELATION, np.ones((2, 2)), np.arange(2)) is None


def test_points_of_one_speaker_that_agree_widen_the_interval_over_independent_ones() -> None:
    """Twenty speakers of fifty equal points each know no more than twenty points."""
    points = np.repeat(np.random.default_rng(0).standard_normal(20), 50)
    clustered, independent = (
        interval(MEAN, points, np.arange(1000) // 50),
        interval(MEAN, points, np.arange(1000)),
    )
    assert clustered is not None
    assert independent is not None
    assert clustered[1] - clustered[0] > 5 * (independent[1] - independent[0])


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says() -> None:
    """Of 100 samples of 40 normal points, about 95 % of the intervals hold the true mean, 0."""
    rng = np.random.default_rng(0)
    bounds = [interval(MEAN, rng.standard_normal(40), np.arange(40)) for _ in range(100)]
    covered = sum(b is not None and b[0] <= 0 <= b[1] for b in bounds)
    assert 88 <= covered <= 99
