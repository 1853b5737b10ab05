"""What became of a contestant is counted from a log of calls and the files it left, not from what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks._peers.contest import KILLED, LATE, Attempt
from benchmarks._peers.corpus import Corpus, make_corpus, make_sounds
from benchmarks.peers import POOL

CLIPS = 8


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("peers") / "sounds"
    make_sounds(folder, CLIPS, 1.0)
    return folder


def attempt(folder: Path, corpus: Corpus) -> Attempt:
    return Attempt(POOL, Path(sys.executable), corpus, folder / "run", workers=2)


def test_killed_at_half_and_run_again_every_row_is_there_and_the_calls_of_both_are_counted(
    sounds: Path, tmp_path: Path
) -> None:
    corpus = make_corpus(tmp_path / "good", sounds, CLIPS)
    one = attempt(tmp_path, corpus)
    assert one.run(limit_s=120, kill_after=CLIPS // 2).code == KILLED
    assert not one.found().rows
    assert one.run(limit_s=120).code == 0
    found = one.found()
    assert sorted(found.rows) == sorted(corpus.ids)
    assert set(found.rows.values()) == {1}
    assert sum(found.calls.values()) >= CLIPS + CLIPS // 2


def test_a_file_that_is_no_sound_ends_the_pool_and_is_named_in_what_it_said(
    sounds: Path, tmp_path: Path
) -> None:
    corpus = make_corpus(tmp_path / "bad", sounds, CLIPS, bad=1)
    one = attempt(tmp_path, corpus)
    ended = one.run(limit_s=120)
    assert ended.code == 1
    assert not one.found().rows
    (bad,) = corpus.bad
    assert bad in ended.said


def test_what_does_not_end_is_ended(sounds: Path, tmp_path: Path) -> None:
    one = attempt(tmp_path, make_corpus(tmp_path / "good", sounds, CLIPS))
    assert one.run(limit_s=0.0).code == LATE
