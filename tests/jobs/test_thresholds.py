"""Labels that go by thresholds of a small trial are no surprise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.command import CLIPS, EXAMPLES, Ended, example, speechcraft, write_manifest

TOLD = "rest on 1 clip of an earlier call, and there are 4 now: `speechcraft calibrate run`"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ways = "sound: decode, language: script, transcript: pocketsphinx, words: pocketsphinx"
    more = "pitch: dio, energy: levels, speed: counts, speaker: given, labels: thresholds"
    (tmp_path / "job.yaml").write_text(f"annotators: {{{ways}, {more}}}\nshard_size: 1\n")
    write_manifest(tmp_path / "clips.jsonl", *map(example, ("brother", "red-book", "meeting", "later")))
    return tmp_path


def annotate(*more: object) -> Ended:
    ended = speechcraft(
        "annotate", "clips.jsonl", "--out", "run", "--job", "job.yaml", "--engine", "inline", *more
    )
    assert ended.code == 0, ended.err
    return ended


def test_thresholds_that_rest_on_few_of_the_clips_are_told_with_the_command_that_takes_them_anew(
    here: Path,
) -> None:
    assert "rest on" not in annotate("--limit", 1).err
    assert TOLD in annotate("--dry-run").err
    assert annotate().err.count(TOLD) == 1
    assert speechcraft("calibrate", "run").code == 0
    assert "rest on" not in annotate().err


def test_a_run_that_grows_a_little_is_not_told(here: Path) -> None:
    annotate("--limit", 2)
    assert "rest on" not in annotate().err


def test_an_error_of_the_driver_is_said_once_to_people_and_once_in_the_log(here: Path) -> None:
    (here / "a").mkdir()
    shutil.copy(CLIPS / EXAMPLES["brother"]["audio"], "a")
    (here / "file").write_text("no folder")
    for more in ((), ("--log-json", "log.jsonl")):
        ended = speechcraft("annotate", "a", "--out", "file/run", "--engine", "inline", *more)
        assert ended.code == 2
        assert (ended.err.count("cannot be written"), ended.err.count("\n")) == (1, 1)
    assert (here / "log.jsonl").read_text().count("cannot be written") == 1
