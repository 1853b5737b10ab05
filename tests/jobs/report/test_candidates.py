"""Which clips are shown: as varied as can be, the least sure, one of each failure, whatever the order."""

from __future__ import annotations

import random
from typing import Any

from jobs.report.candidates import LONG_S, SHORT_S, VARIED_SHOWN, Candidates, Place
from jobs.report.columns import EMOTIONS


def rows(n: int = 300) -> list[dict[str, Any]]:
    """Clips of which nearly all are alike."""
    made = []
    for i in range(n):
        row: dict[str, Any] = {"id": f"clip{i}", "status": "ok", "error": None, "duration_s": 4.0}
        row |= {"gender": "male", "emotion": "neutral", "language": "en", "pitch_label": "normal"}
        made.append(row)
    for i, emotion in enumerate(EMOTIONS):
        made[i]["emotion"] = emotion
    made[30]["gender"] = "female"
    made[31]["pitch_label"] = "low"
    return made


def chosen(all_rows: list[dict[str, Any]], seed: int = 0) -> Candidates:
    candidates = Candidates(seed)
    for i, row in enumerate(all_rows):
        candidates.add(row, Place(0, i))
    return candidates


def test_rare_values_are_shown() -> None:
    all_rows = rows()
    by_id = {row["id"]: row for row in all_rows}
    shown = [by_id[choice.id] for choice in chosen(all_rows).varied()]
    assert len(shown) == VARIED_SHOWN
    assert {row["emotion"] for row in shown} == set(EMOTIONS)
    assert {row["gender"] for row in shown} == {"female", "male"}
    assert "low" in {row["pitch_label"] for row in shown}


def test_the_choice_does_not_depend_on_the_order_and_depends_on_the_seed() -> None:
    all_rows = rows()
    mixed = list(all_rows)
    random.Random(3).shuffle(mixed)
    assert [c.id for c in chosen(mixed).varied()] == [c.id for c in chosen(all_rows).varied()]
    assert [c.id for c in chosen(all_rows, 1).varied()] != [c.id for c in chosen(all_rows).varied()]


def test_clips_too_short_to_tell_or_too_long_to_embed_are_left_while_there_are_others() -> None:
    all_rows = rows(60)
    for row in all_rows[:45]:
        row["duration_s"] = SHORT_S / 2 if row["id"] < "clip3" else LONG_S * 2
    fit = {row["id"] for row in all_rows[45:]}
    assert {c.id for c in chosen(all_rows).varied()} <= fit
    few = {c.id for c in chosen(all_rows[:50]).varied()}
    assert {row["id"] for row in all_rows[45:50]} < few
    assert len(few) == VARIED_SHOWN


def test_the_least_sure_of_each_kind_are_shown_once_and_not_again() -> None:
    all_rows = rows()
    for i, row in enumerate(all_rows):
        row["gender_confidence"] = row["emotion_confidence"] = 0.5 + i / 1000
    candidates = chosen(all_rows)
    taken = {choice.id for choice in candidates.varied()}
    unsure = candidates.unsure()
    assert len(unsure) == len({choice.id for choice in unsure}) == 2
    assert not taken & {choice.id for choice in unsure}
    left = [row for row in all_rows if row["id"] not in taken]
    assert unsure[0].id == left[0]["id"]
    assert unsure[0].why == f"gender: confidence {left[0]['gender_confidence']:.2f}"


def test_a_clip_of_each_cause_of_failure_is_shown_with_the_root_cause() -> None:
    all_rows = rows(40)
    causes = ("sound: not_found", "sound: not_found", "words: too_long")
    for row, cause in zip(all_rows, causes, strict=False):
        row |= {"status": "failed", "error": f"{cause}: Why: so; or so.; speed: needs: It needs words."}
    failed = chosen(all_rows).failed()
    assert [choice.why for choice in failed] == [
        "sound: not_found: Why: so; or so.",
        "words: too_long: Why: so; or so.",
    ]


def test_among_equally_rich_clips_the_first_is_one_whose_labels_all_say_something() -> None:
    for seed in range(12):
        all_rows = rows(40)[:8]
        for row in all_rows:
            row["emotion"] = "other"
        all_rows[5]["emotion"] = "neutral"
        assert chosen(all_rows, seed).varied()[0].id == "clip5"
        all_rows[5]["emotion"] = None
        assert chosen(all_rows, seed).varied()[0].id == "clip5"
        all_rows[2]["emphasis_word"] = "stressed"
        assert chosen(all_rows, seed).varied()[0].id == "clip2"
