from __future__ import annotations

from pathlib import Path

import pytest

from jobs.evaluate import Case, evaluate
from jobs.evaluate.report import Table
from pipeline.rows import Emphasis, Word, Words

TEXT = ["the", "red", "boat", "sails"]


def words(spoken: list[str]) -> Words:
    return Words(
        tuple(Word(w, i, i + 1.0, 1, 1, "dictionary") for i, w in enumerate(spoken)), (), "test", 1.0
    )


def labelled(*prominences: float, **more: object) -> dict[str, object]:
    return {"emphasis": [{"word": w, "prominence": p} for w, p in zip(TEXT, prominences, strict=True)]} | more


def case(id: str, labels: dict[str, object], place: int | None, scores: tuple[float, ...] = ()) -> Case:
    word = None if place is None else TEXT[place]
    row = Emphasis(word, place, "test", None, scores)
    return Case(id, labels, Path(), rows={Emphasis: row, Words: words(TEXT)})


def table(*cases: Case) -> Table:
    return evaluate(cases).table("emphasis")


def test_every_figure_matches_a_hand_count() -> None:
    truth = labelled(0.0, 2.0, 1.0, 0.0)
    found = table(
        case("a", truth, 1, (0.0, 4.0, 2.0, 0.0)),
        case("b", truth, 2, (0.0, 1.0, 2.0, 0.0)),
        case("c", truth, None, (0.0, 2.0, 1.0, 0.0)),
    )
    assert found.result("coverage").value == pytest.approx(100 * 2 / 3)
    assert found.result("top1").value == pytest.approx(50)
    assert found.result("top1_of_all").value == pytest.approx(100 * 2 / 3)
    assert found.result("by_chance").value == pytest.approx(25)
    assert found.missing == {"no word stressed enough": 1}


def test_scores_that_are_the_prominence_on_another_scale_correlate_fully() -> None:
    found = table(case("a", labelled(0.0, 2.0, 1.0, 0.5), 1, (3.0, 7.0, 5.0, 4.0)))
    assert found.result("correlation").value == pytest.approx(1)


def test_of_words_equally_prominent_any_is_right() -> None:
    found = table(*(case(str(i), labelled(0.0, 2.0, 2.0, 0.0), i) for i in range(4)))
    assert found.result("top1").value == 50


def test_labels_that_fit_their_words_badly_and_flat_ones_are_not_used() -> None:
    bad = case("a", labelled(0, 2, 1, 0, emphasis_align_cost=5), 1)
    flat = case("b", labelled(1, 1, 1, 1), 1)
    assert evaluate([bad, flat]).tables == ()


def test_one_labelled_word_is_compared_by_its_letters() -> None:
    found = table(case("a", {"emphasis_word": "Boat,"}, 2), case("b", {"emphasis_word": "boat"}, 1))
    assert found.result("top1").value == 50


def test_words_that_a_run_heard_otherwise_are_left_out_of_the_comparison() -> None:
    labels: dict[str, object] = {
        "emphasis": [{"word": w, "prominence": p} for w, p in (("my", 0.0), ("boat", 2.0))]
    }
    assert table(case("a", labels, 2)).result("top1").value == 100


def test_a_stress_that_was_given_is_not_measured() -> None:
    labels = labelled(0, 2, 1, 0)
    row = Emphasis("red", 1, "given", None)
    told = Case("a", labels, Path(), rows={Emphasis: row, Words: words(TEXT)})
    assert (table(told).n_given, table(told).results) == (1, ())
