"""What a person corrects stands in the dataset, and nothing is computed again but what reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.review.apply import pending
from pipeline.join import join
from pipeline.review.amend import read_shards
from pipeline.review.judgements import Judgement, Session, Verdict, now, read
from pipeline.storage import Store
from tests.command import speechcraft
from tests.jobs.review.said import rows, say

Annotate = Callable[..., dict[str, int]]


def computed(folder: Path) -> set[str]:
    """The sidecars of shards of the source, and when each was written."""
    amended = {shard.name for shard in read_shards(Store(str(folder / "run")))}
    files = [p for p in (folder / "run").glob("*@*/*.*") if p.stem not in amended]
    return {f"{p.relative_to(folder)} {p.stat().st_mtime_ns}" for p in files}


def test_a_correction_wins_in_its_column_and_the_captions_tell_it(folder: Path, again: Annotate) -> None:
    before, written = rows(folder), computed(folder)
    assert before["station"]["emotion"] != "sad"
    say(folder, "station", "emotion", "correct", "sad")
    again(folder)
    after = rows(folder)
    assert (after["station"]["emotion"], after["station"]["emotion_source"]) == ("sad", "review")
    assert "emotion" in after["station"]["caption_attributes"]
    assert after["station"]["description"] != before["station"]["description"]
    assert after["station"]["review"] == [{"attribute": "emotion", "verdict": "corrected", "reviewers": 1}]
    assert computed(folder) == written
    assert {k: v for k, v in after.items() if k != "station"} == {
        k: v for k, v in before.items() if k != "station"
    }
    unread = ("transcript", "pitch_label", "snr_db", "f0_median_hz", "words", "emphasis_word", "topic")
    assert [after["station"][name] for name in unread] == [before["station"][name] for name in unread]


def test_what_is_said_while_the_dataset_is_written_is_taken_up_by_the_next_call(
    folder: Path, again: Annotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(folder)

    def late(*arguments: Any) -> Any:
        say(folder, "station", "emotion", "correct", "sad")
        return join(*arguments)

    say(folder, "recipe", "topic", "correct", "bread")
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.engine.flow.join", late)
        again(folder)
    assert rows(folder)["recipe"]["topic"] == "bread"
    assert rows(folder)["station"] == before["station"]
    assert pending(Store(str(folder / "run")))
    again(folder)
    assert rows(folder)["station"]["emotion"] == "sad"
    assert not pending(Store(str(folder / "run")))


def test_a_clip_is_forgotten_before_what_was_said_of_others_is_taken_up(
    folder: Path, again: Annotate
) -> None:
    say(folder, "station", "emotion", "correct", "sad")
    before = rows(folder)["station"]
    assert speechcraft("forget", folder / "run", "--clip", "seven", "--yes").code == 0
    assert rows(folder)["station"] == before
    again(folder)
    assert rows(folder)["station"]["emotion"] == "sad"


def test_a_kill_while_a_clip_is_forgotten_makes_no_correction_look_taken_up(
    folder: Path, again: Annotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    say(folder, "station", "emotion", "correct", "sad")
    with monkeypatch.context() as patch:
        patch.setattr("jobs.forget._remove", killed)
        assert speechcraft("forget", folder / "run", "--clip", "seven", "--yes").code == 130
    assert speechcraft("forget", folder / "run", "--clip", "seven", "--yes").code == 0
    assert pending(Store(str(folder / "run")))
    again(folder)
    assert rows(folder)["station"]["emotion"] == "sad"


def test_a_clip_that_its_source_is_wrong_about_is_corrected_once(folder: Path, again: Annotate) -> None:
    source = folder / "clips.jsonl"
    source.write_text(source.read_text("utf-8") + source.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    again(folder)
    say(folder, "forecast#2", "topic", "correct", "weather to come")
    again(folder)
    assert rows(folder)["forecast#2"]["topic"] == "weather to come"
    corrected = read_shards(Store(str(folder / "run")))
    assert again(folder) == {}
    assert read_shards(Store(str(folder / "run"))) == corrected


def test_only_what_reads_a_correction_is_computed_for_it(folder: Path, again: Annotate) -> None:
    say(folder, "station", "emotion", "correct", "sad")
    assert again(folder) == {"caption": 1}
    say(folder, "recipe", "gender", "correct", "female")
    assert again(folder) == {"labels": 1, "caption": 1}
    assert again(folder) == {}


def test_a_corrected_gender_is_judged_by_its_own_thresholds(folder: Path, again: Annotate) -> None:
    assert rows(folder)["station"]["pitch_label_basis"] == "female"
    say(folder, "station", "gender", "correct", "male")
    again(folder)
    row = rows(folder)["station"]
    assert (row["gender"], row["pitch_label_basis"]) == ("male", "male")
    shown = speechcraft("show", folder / "run", "station", "--json").json["columns"]
    told = {line["column"]: line["value"] for line in shown}
    assert (told["gender"], told["gender_source"], told["pitch_label_basis"]) == ("male", "review", "male")


def test_a_corrected_transcript_is_aligned_and_quoted(folder: Path, again: Annotate) -> None:
    say(folder, "seven", "transcript", "correct", "Seven  people came.")
    again(folder)
    row = rows(folder)["seven"]
    assert row["transcript"] == "Seven people came."
    assert (row["transcript_verbatim"], row["transcript_source"]) == ("Seven  people came.", "review")
    assert [w["word"] for w in row["words"]] == ["Seven", "people", "came"]
    assert "Seven people came." in row["instruction"]


def test_a_rejected_value_is_null_and_told_in_no_caption(folder: Path, again: Annotate) -> None:
    before = rows(folder)["station"]
    assert "gender" in before["caption_attributes"]
    say(folder, "station", "gender", "reject")
    again(folder)
    row = rows(folder)["station"]
    assert row["gender"] is None
    assert row["gender_source"] is None
    assert "gender" not in row["caption_attributes"]
    assert row["status"] == "ok"


def test_a_rejected_transcript_takes_with_it_what_was_made_of_it(folder: Path, again: Annotate) -> None:
    say(folder, "seven", "transcript", "reject")
    again(folder)
    row = rows(folder)["seven"]
    assert (row["transcript"], row["words"], row["instruction"]) == (None, None, None)
    assert row["status"] == "ok"
    assert "rejected in review" in row["skipped"]


def test_what_is_accepted_stays_as_it_was(folder: Path, again: Annotate) -> None:
    before = rows(folder)["station"]
    say(folder, "station", "gender", "accept")
    again(folder)
    row = rows(folder)["station"]
    assert row.pop("review") == [{"attribute": "gender", "verdict": "confirmed", "reviewers": 1}]
    before.pop("review")
    assert row == before
    assert read_shards(Store(str(folder / "run"))) == []


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_a_verdict_on_a_value_that_has_changed_since_says_nothing(
    folder: Path, again: Annotate, verdict: Verdict
) -> None:
    before = rows(folder)["station"]
    say(folder, "station", "emotion", verdict, value="angry")
    again(folder)
    assert rows(folder)["station"] == before


def test_a_caption_that_a_person_wrote_stands(folder: Path, again: Annotate) -> None:
    say(folder, "station", "description", "correct", "She announces a train.")
    say(folder, "station", "emotion", "correct", "sad")
    again(folder)
    row = rows(folder)["station"]
    assert (row["description"], row["caption_source"]) == ("She announces a train.", "review")
    assert row["emotion"] == "sad"


def test_a_rejected_description_leaves_the_instruction(folder: Path, again: Annotate) -> None:
    before = rows(folder)["station"]
    say(folder, "station", "description", "reject")
    again(folder)
    row = rows(folder)["station"]
    assert (row["description"], row["instruction"]) == (None, before["instruction"])


def test_a_stressed_word_stands_where_it_was_meant(folder: Path, again: Annotate) -> None:
    words = [w["word"] for w in rows(folder)["forecast"]["words"]]
    place = len(words) - 1 - words[::-1].index("the")
    assert words.count("the") > 1
    say(folder, "forecast", "emphasis_word", "correct", "the", place=place)
    again(folder)
    row = rows(folder)["forecast"]
    assert (row["emphasis_word"], row["emphasis_index"], row["emphasis_source"]) == ("the", place, "review")


def test_a_stressed_chinese_word_stands_at_its_first_character(folder: Path, again: Annotate) -> None:
    assert rows(folder)["zh-neighbour"]["transcript"].startswith("喂，你好，")
    say(folder, "zh-neighbour", "emphasis_word", "correct", "你好", place=1)
    again(folder)
    row = rows(folder)["zh-neighbour"]
    assert (row["emphasis_word"], row["emphasis_index"]) == ("你好", 1)


def test_a_withdrawn_correction_leaves_no_trace(folder: Path, again: Annotate) -> None:
    before = rows(folder)
    say(folder, "station", "emotion", "correct", "sad")
    again(folder)
    say(folder, "station", "emotion", "withdraw")
    again(folder)
    assert rows(folder) == before
    assert len(read(Store(str(folder / "run")))) == 2


def test_a_second_correction_computes_nothing_again_for_the_first(folder: Path, again: Annotate) -> None:
    say(folder, "station", "emotion", "correct", "sad")
    say(folder, "recipe", "emotion", "correct", "sad")
    assert again(folder) == {"caption": 2}
    say(folder, "recipe", "emotion", "correct", "angry")
    assert again(folder) == {"caption": 1}
    after = rows(folder)
    assert (after["station"]["emotion"], after["recipe"]["emotion"]) == ("sad", "angry")


def test_a_correction_outlives_another_model(folder: Path, again: Annotate) -> None:
    say(folder, "station", "emotion", "correct", "sad")
    again(folder)
    again(folder, "--set", "emotion.min_confidence=0.99", "--set", "caption.seed=7")
    row = rows(folder)["station"]
    assert row["emotion"] == "sad"
    assert "emotion" in row["caption_attributes"]


def test_a_correction_does_not_reach_another_sound_of_that_name(folder: Path, again: Annotate) -> None:
    before = rows(folder)["station"]
    Session(Store(str(folder / "run")), "Ada").keep(
        Judgement("station", "emotion", "correct", None, "sad", None, "Ada", now(), "", "another sound")
    )
    again(folder)
    assert rows(folder)["station"] == before


def test_no_name_of_a_reviewer_is_in_the_dataset(folder: Path, again: Annotate) -> None:
    say(folder, "station", "emotion", "correct", "sad", reviewer="Ada Lovelace")
    again(folder)
    for path in (folder / "run" / "dataset").rglob("*.*"):
        assert b"Lovelace" not in path.read_bytes()
    assert "Lovelace" not in repr(rows(folder))


def test_forgetting_a_clip_forgets_what_was_said_of_it(folder: Path, again: Annotate) -> None:
    say(folder, "station", "transcript", "correct", "Quite other words.")
    say(folder, "recipe", "transcript", "correct", "Words that stay.")
    again(folder)
    ended = speechcraft("forget", folder / "run", "--clip", "station", "--yes", "--json")
    assert ended.code == 0, ended.err
    texts = [p.read_bytes() for p in (folder / "run").rglob("*.*") if p.is_file()]
    assert not any(b"Quite other words" in text for text in texts)
    assert rows(folder)["recipe"]["transcript"] == "Words that stay."
    again(folder)
    assert "station" not in rows(folder)
    assert rows(folder)["recipe"]["transcript"] == "Words that stay."
