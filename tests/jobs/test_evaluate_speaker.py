from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate import Case, evaluate
from jobs.evaluate.classification import FIGURES, confusion
from jobs.evaluate.report import Confusion
from jobs.evaluate.statistics import value
from pipeline.rows import Gender, Speaker

by_name = {figure.name: figure.statistic for figure in FIGURES}


def speaker(
    gender: Gender | None = None, sure: float | None = None, age: float | None = None, source: str = "test"
) -> Speaker:
    return Speaker(gender, source if gender else None, sure, age, source if age else None, None)


def cases(*pairs: tuple[Gender, Gender | None, float | None]) -> list[Case]:
    return [
        Case(str(i), {"gender": truth}, Path(), rows={Speaker: speaker(called, sure)})
        for i, (truth, called, sure) in enumerate(pairs)
    ]


def test_every_figure_of_gender_matches_a_hand_count() -> None:
    table = evaluate(
        cases(
            ("female", "female", 0.95),
            ("female", "female", 0.95),
            ("female", "male", 0.65),
            ("male", "male", 0.65),
            ("male", None, None),
        )
    ).table("gender")
    assert table.missing == {"no gender": 1}
    assert table.result("accuracy").value == pytest.approx(75)
    assert table.result("unweighted_recall").value == pytest.approx(100 * (2 / 3 + 1) / 2)
    assert table.result("calibration_error").value == pytest.approx(100 * (2 * 0.05 + 2 * 0.15) / 4)
    assert table.confusion == Confusion(("female", "male"), ((2, 1), (0, 1)))


def test_calls_without_confidence_have_no_calibration() -> None:
    table = evaluate(cases(("female", "female", None), ("male", "male", None))).table("gender")
    assert table.result("calibration_error").value is None
    assert table.result("calibration_error").n == 0
    assert table.result("accuracy").value == 100


calls = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(calls)
def test_accuracy_and_recall_agree_with_the_confusion_matrix(pairs: list[tuple[int, int]]) -> None:
    points = np.array([[t, c, np.nan] for t, c in pairs])
    counts = np.array(confusion(points, 4))
    occurs = counts.sum(axis=1) > 0
    assert value(by_name["accuracy"], points) == pytest.approx(np.trace(counts) / counts.sum())
    recalls = np.diag(counts)[occurs] / counts.sum(axis=1)[occurs]
    assert value(by_name["unweighted_recall"], points) == pytest.approx(recalls.mean())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_calibration_error_lies_between_zero_and_one(confidences: list[float]) -> None:
    points = np.array([[0, i % 2, sure] for i, sure in enumerate(confidences)], dtype=float)
    assert 0 <= (value(by_name["calibration_error"], points) or 0) <= 1


def test_a_gender_or_age_that_was_given_is_not_measured() -> None:
    labels = {"gender": "female", "age": 30}
    told = Case(
        "a", labels, Path(), frozenset({"gender", "age_years"}), {Speaker: speaker("female", None, 30.0)}
    )
    marked = Case("b", labels, Path(), rows={Speaker: speaker("female", None, 30.0, source="given")})
    report = evaluate([told, marked])
    for name in ("gender", "age"):
        assert (report.table(name).n_given, report.table(name).results) == (2, ())


def test_every_figure_of_age_matches_a_hand_count() -> None:
    pairs = [(10, 15.0), (25, 20.0), (30, 39.9), (70, 66.0)]
    report = evaluate(
        Case(str(i), {"age": truth}, Path(), rows={Speaker: speaker(age=found)})
        for i, (truth, found) in enumerate(pairs)
    )
    table = report.table("age")
    assert table.result("error").value == pytest.approx((5 + 5 + 9.9 + 4) / 4)
    assert table.result("bias").value == pytest.approx((5 - 5 + 9.9 - 4) / 4)
    assert table.result("group_accuracy").value == 75


def test_another_gender_label_is_no_label() -> None:
    assert evaluate([Case("a", {"gender": "unknown"}, Path(), rows={Speaker: speaker("male")})]).tables == ()


def test_coverage_counts_what_is_labelled_and_not_said() -> None:
    called: list[tuple[Gender | None, float | None]] = [
        ("female", None),
        (None, 31.0),
        (None, None),
        ("male", 29.0),
    ]
    report = evaluate(
        Case(str(i), {"gender": "female", "age": 30}, Path(), rows={Speaker: speaker(gender, None, age)})
        for i, (gender, age) in enumerate(called)
    )
    assert report.table("gender").result("coverage").value == 50
    assert report.table("age").result("coverage").value == 50


def test_children_are_told_from_adults_by_the_models_word_or_by_years() -> None:
    rows = [
        (8, Speaker(None, None, None, 30.0, "test", None, child_probability=0.9)),
        (40, Speaker(None, None, None, 15.0, "test", None)),
        (16, Speaker(None, None, None, 40.0, "test", None)),
    ]
    found = evaluate(
        Case(str(i), {"age": age}, Path(), rows={Speaker: row}) for i, (age, row) in enumerate(rows)
    )
    assert found.table("age").result("child_or_adult").value == 50
    assert found.table("age").result("child_or_adult").n == 2


def test_gender_has_figures_without_children_and_says_why_it_is_silent() -> None:
    silent = Speaker(None, "small: a child's voice", 0.5, None, None, None)
    found = evaluate(
        Case(str(i), {"gender": "female", **labels}, Path(), rows={Speaker: row})
        for i, (labels, row) in enumerate(
            [
                ({"age": 8}, silent),
                ({"age": 9}, speaker("male")),
                ({"age": 13}, speaker("female")),
                ({}, speaker("male")),
                ({"age": 40}, silent),
            ]
        )
    ).table("gender")
    assert found.missing == {"no gender, small: a child's voice": 2}
    assert found.n_measured == 3
    assert found.result("coverage").value == pytest.approx(60)
    assert found.result("coverage_from_13").value == pytest.approx(100 * 2 / 3)
    assert found.result("accuracy_from_13").value == 50
