from __future__ import annotations

from pathlib import Path

import pytest

from jobs.evaluate import Case, Report, evaluate
from pipeline.rows import Row, Transcript


def case(reference: str, found: str | None, *, id: str = "a", source: str = "test") -> Case:
    rows: dict[type[Row], Row] = {}
    if found is not None:
        rows[Transcript] = Transcript(found, found, source, None)
    return Case(id, {"text": reference}, Path(), rows=rows)


def wer(report: Report) -> float | None:
    return report.table("text").result("wer").value


@pytest.mark.parametrize(
    ("reference", "found", "percent"),
    [
        ("Please call Stella.", "please, CALL stella", 0),
        ("I don't know", "I dont know", 0),
        ("a well-known man", "a well known man", 0),
        ("a b c d", "a x c", 50),
        ("a b", "a b c d e", 150),
        ("in 1984", "in nineteen eighty four", 150),
        ("a b", "", 100),
    ],
)
def test_word_errors_are_counted_after_normalisation(reference: str, found: str, percent: float) -> None:
    assert wer(evaluate([case(reference, found)])) == percent


def test_chinese_is_measured_by_character() -> None:
    table = evaluate([case("看，国庆到了", "看国清了。")]).table("text")
    assert [r.name for r in table.results] == ["cer", "substitutions", "deletions", "insertions"]
    assert table.result("cer").value == 40
    assert table.result("cer").n == 5


def test_errors_are_summed_over_clips_before_they_are_divided() -> None:
    report = evaluate([case("a b c d e f g h", "a b c d e f g h"), case("a b", "x y", id="b")])
    assert wer(report) == 20


def test_text_that_was_given_is_reported_as_given_and_not_as_right() -> None:
    told = Case(
        "a", {"text": "a b"}, Path(), frozenset({"text"}), {Transcript: Transcript("a b", "a b", "x", None)}
    )
    marked = case("a b", "a b", id="b", source="given")
    table = evaluate([told, marked]).table("text")
    assert (table.n_labelled, table.n_given, table.n_measured, table.results) == (2, 2, 0, ())


def test_a_clip_without_a_transcript_is_missing_and_no_error() -> None:
    report = evaluate([case("a b", None), case("a b", "a b", id="b")])
    assert wer(report) == 0
    assert report.table("text").missing == {"no transcript": 1}


@pytest.mark.parametrize("reference", ["", "  ", "...", None, 7])
def test_a_reference_without_words_is_no_label(reference: object) -> None:
    rows: dict[type[Row], Row] = {Transcript: Transcript("a", "a", "test", None)}
    names = {t.name for t in evaluate([Case("a", {"text": reference}, Path(), rows=rows)]).tables}
    assert "text" not in names
