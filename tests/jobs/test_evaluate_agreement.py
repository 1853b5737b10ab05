"""Agreement by hand: with the run, and between people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from jobs.evaluate.agreement import agreement, kappa
from pipeline.review.judgements import Judgement, standing


def judged(
    reviewer: str, clip: int, attribute: str, verdict: Any, value: str, correction: str | None = None
) -> Judgement:
    return Judgement(
        f"c{clip}", attribute, verdict, value, correction, None, reviewer, f"{reviewer}{clip:03d}", "", None
    )


def moods(reviewer: str, run: Sequence[str], says: Sequence[str]) -> list[Judgement]:
    pairs = enumerate(zip(run, says, strict=True))
    return [
        judged(reviewer, i, "emotion", *(("accept", had) if had == said else ("correct", had, said)))
        for i, (had, said) in pairs
    ]


def test_kappa_is_that_of_the_textbook() -> None:
    """Cohen's own kind of table: 20 and 15 of 50 on the diagonal, 5 and 10 off it."""
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert kappa(pairs) == pytest.approx(0.4)


def test_two_people_and_the_run_agree_as_counted_by_hand() -> None:
    run = ["sad"] * 6 + ["happy"] * 4
    ada = ["sad"] * 5 + ["happy"] * 5
    bob = ["sad"] * 4 + ["happy"] * 4 + ["sad"] * 2
    said = standing([*moods("ada", run, ada), *moods("bob", run, bob)])
    found = agreement(said, {f"c{i}": {"emotion": mood} for i, mood in enumerate(run)})
    assert [(a.first, a.second, a.n, a.agreed_percent) for a in found] == [
        ("run", "reviewer 1", 10, 90.0),
        ("run", "reviewer 2", 10, 60.0),
        ("reviewer 1", "reviewer 2", 10, 70.0),
    ]
    # expected by chance: 0.6 * 0.5 + 0.4 * 0.5; 0.6 * 0.6 + 0.4 * 0.4; 0.5 * 0.6 + 0.5 * 0.4
    by_hand = [(0.9 - 0.5) / 0.5, (0.6 - 0.52) / 0.48, (0.7 - 0.5) / 0.5]
    assert [a.kappa for a in found] == pytest.approx(by_hand)


def test_a_rejection_disagrees_with_the_run() -> None:
    said = standing(
        [judged("ada", 0, "gender", "reject", "male"), judged("ada", 1, "gender", "accept", "male")]
    )
    (found,) = agreement(said, {"c0": {"gender": "male"}, "c1": {"gender": "male"}})
    assert (found.n, found.agreed_percent, found.kappa) == (2, 50.0, 0.0)


def test_a_verdict_on_an_older_value_says_nothing_and_a_correction_does() -> None:
    said = standing(
        [
            judged("ada", 0, "gender", "accept", "male"),
            judged("ada", 1, "gender", "correct", "male", "female"),
        ]
    )
    (found,) = agreement(said, {"c0": {"gender": "female"}, "c1": {"gender": "female"}})
    assert (found.n, found.agreed_percent) == (1, 100.0)


def test_texts_are_compared_by_whether_they_are_right() -> None:
    said = standing(
        [
            judged("ada", 0, "description", "accept", "He speaks."),
            judged("bob", 0, "description", "accept", "He speaks."),
            judged("ada", 1, "description", "correct", "She speaks.", "A child speaks."),
            judged("bob", 1, "description", "correct", "She speaks.", "Some child is speaking."),
        ]
    )
    values = {"c0": {"description": "He speaks."}, "c1": {"description": "She speaks."}}
    with_ada, with_bob, each_other = agreement(said, values)
    assert (
        (with_ada.agreed_percent, with_ada.kappa) == (with_bob.agreed_percent, with_bob.kappa) == (50.0, None)
    )
    assert (each_other.agreed_percent, each_other.kappa) == (100.0, 1.0)


def test_who_always_says_the_same_has_no_kappa() -> None:
    assert kappa([("a", "a")] * 3) is None
