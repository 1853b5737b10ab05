"""A language that nothing told is taken for granted by nobody: it is counted, and said."""

from __future__ import annotations

from pathlib import Path

from tests.command import dataset, example, speechcraft, write_manifest

SENTENCE = "2 clips were taken for English: no transcript and no column tells the language."


def test_clips_that_were_taken_for_english_are_counted_at_the_end_and_in_status(tmp_path: Path) -> None:
    lines = [
        example("brother"),
        example("red-book", text=None, language=None),
        example("meeting", text="Stella", language=None),
        example("zh-match", text=None),
        example("later", text=None, language=None, audio="gone.wav"),
    ]
    source, run = write_manifest(tmp_path / "clips.jsonl", *lines), tmp_path / "run"
    job = tmp_path / "job.yaml"
    job.write_text("annotators: {sound: decode, language: script}\n")
    command = ("annotate", source, "--job", job, "--engine", "inline", "--out", run)
    assert SENTENCE in " ".join(speechcraft(*command).out.split())
    assert SENTENCE in " ".join(speechcraft("status", run).out.split())
    assert speechcraft("status", run, "--json").json["dataset"]["assumed_language"] == {"en": 2}
    assert [row["language"] for row in dataset(run)] == ["en", "en", "en", "zh", None]
    ended = speechcraft(*command, "--set", "language.default=none", "--json")
    assert ended.json["assumed_language"] == {}
    assert "were taken for" not in speechcraft("status", run).out
