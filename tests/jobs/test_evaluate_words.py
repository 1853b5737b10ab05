from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate import Case, evaluate
from jobs.evaluate.alignment import errors, matches, tokens
from jobs.evaluate.report import Table
from pipeline.rows import Word, Words

SAID = ["she", "had", "your", "dark", "suit"]


def labels(words: list[str], *, at_s: float = 0.0) -> dict[str, object]:
    return {
        "words": [
            {"label": w, "start": at_s + 0.3 * i, "end": at_s + 0.3 * i + 0.25} for i, w in enumerate(words)
        ]
    }


def row(words: list[str], *, start_late_s: float = 0.0, end_late_s: float = 0.0) -> Words:
    spans = [(w, 0.3 * i + start_late_s, 0.3 * i + 0.25 + end_late_s) for i, w in enumerate(words)]
    return Words(tuple(Word(w, a, b, 1, 3, "dictionary") for w, a, b in spans), (), "test", None)


def table(reference: list[str], found: Words, given_used: frozenset[str] = frozenset()) -> Table:
    case = Case("a", labels(reference), Path(), given_used, {Words: found})
    return evaluate([case]).table("words")


def test_perfect_times_have_no_error() -> None:
    found = table(SAID, row(SAID))
    for edge in ("boundary", "start", "end"):
        assert found.result(f"{edge}_error").value == 0
        assert found.result(f"{edge}_within_20_ms").value == 100
    assert found.result("matched").value == 100


@given(st.integers(-150, 150))
def test_a_shift_is_the_median_error_and_the_bias(late_ms: int) -> None:
    found = table(SAID, row(SAID, start_late_s=late_ms / 1000, end_late_s=late_ms / 1000))
    for edge in ("boundary", "start", "end"):
        assert found.result(f"{edge}_error").value == pytest.approx(abs(late_ms), abs=1e-6)
        assert found.result(f"{edge}_bias").value == pytest.approx(late_ms, abs=1e-6)


def test_starts_and_ends_are_told_apart() -> None:
    found = table(SAID, row(SAID, start_late_s=0.03, end_late_s=-0.06))
    assert found.result("start_bias").value == pytest.approx(30)
    assert found.result("end_bias").value == pytest.approx(-60)
    assert found.result("boundary_within_20_ms").value == 0
    assert found.result("boundary_within_50_ms").value == 50
    assert found.result("boundary_within_100_ms").value == 100
    assert found.result("boundary_error").n == 10


def test_a_misheard_word_costs_its_own_match_only() -> None:
    heard = row([*SAID[:2], "york", *SAID[3:]])
    found = table(SAID, heard)
    assert found.result("matched").value == 80
    assert found.result("boundary_error").value == 0


def test_a_word_heard_twice_or_not_at_all_does_not_shift_the_others() -> None:
    assert list(matches(SAID, ["she", "she", "had", "dark", "suit"])) in (
        [(0, 0), (1, 2), (3, 3), (4, 4)],
        [(0, 1), (1, 2), (3, 3), (4, 4)],
    )


def test_nothing_heard_matches_nothing() -> None:
    found = table(SAID, row([]))
    assert found.result("matched").value == 0
    assert found.result("boundary_error").value is None


def test_words_match_whatever_their_case_apostrophe_and_punctuation() -> None:
    assert list(matches(["don't", "--", "stop"], ["Don’t,", "stop."])) == [(0, 0), (2, 1)]


def test_a_table_says_whether_the_text_was_given() -> None:
    assert table(SAID, row(SAID), frozenset({"text"})).groups == {"text": {"given": 1}}
    assert table(SAID, row(SAID)).groups == {"text": {"recognised": 1}}


def test_words_without_times_are_no_label() -> None:
    case = Case("a", {"words": [{"word": "we", "accuracy": 10}]}, Path(), rows={Words: row(["we"])})
    assert evaluate([case]).tables == ()


@given(st.text(max_size=40))
def test_tokens_are_stable_and_hold_no_space_or_apostrophe(text: str) -> None:
    found = tokens(text)
    assert tokens(" ".join(found)) == found
    assert not any(c.isspace() or c in "'’" for token in found for c in token)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_errors_are_zero_only_for_equal_words(reference: list[str], found: list[str]) -> None:
    assert (sum(errors(reference, found)) == 0) == (reference == found)
    assert len(list(matches(reference, reference))) == len(reference)
