from __future__ import annotations

from pathlib import Path

import pytest

from jobs.evaluate import Case, evaluate
from jobs.evaluate.plot import draw
from pipeline.errors import UsageError
from pipeline.rows import Emotion, Emotions


def case(id: str, truth: str, called: Emotions | None, sure: float | None = 0.9, speaker: str = "s") -> Case:
    row = Emotion(called, "test", sure, None)
    return Case(id, {"emotion": truth, "speaker": speaker}, Path(), rows={Emotion: row})


CASES = [
    case("a", "happiness", "happy"),
    case("b", "anger", "happy", 0.6),
    case("c", "anger", "angry"),
    case("d", "boredom", "other"),
    case("e", "neutral", None),
]


def test_classes_are_compared_whatever_a_corpus_calls_them() -> None:
    table = evaluate(CASES).table("emotion")
    assert table.result("accuracy").value == pytest.approx(75)
    assert table.result("unweighted_recall").value == pytest.approx(100 * (1 + 0.5 + 1) / 3)
    assert table.result("coverage").value == pytest.approx(80)
    assert (table.n_labelled, table.n_measured, table.missing) == (5, 4, {"no emotion": 1})


def test_a_word_that_is_no_emotion_is_no_label() -> None:
    assert evaluate([case("a", "purple", "happy")]).tables == ()


def test_confidence_and_accuracy_by_bin_match_a_hand_count() -> None:
    found = evaluate(CASES).table("emotion").calibration
    assert [(round(b.confidence, 2), b.accuracy, b.n) for b in found] == [(0.6, 0.0, 1), (0.9, 1.0, 3)]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_report_is_drawn(ending: str, tmp_path: Path) -> None:
    draw(evaluate(CASES), tmp_path / f"report.{ending}")
    assert (tmp_path / f"report.{ending}").stat().st_size > 5_000


def test_another_ending_and_nothing_to_draw_are_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="written as"):
        draw(evaluate(CASES), tmp_path / "report.txt")
    with pytest.raises(UsageError, match="nothing to plot"):
        draw(evaluate([]), tmp_path / "report.png")
