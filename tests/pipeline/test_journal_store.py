"""What a service answered survives whoever asked."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from pipeline import journal_store as journal
from pipeline.rundir import Shard
from pipeline.storage import Store

SHARD = Shard(3, "abc", 2)
FOLDER = SHARD.answers("caption-llm@1")


@pytest.fixture(params=["local", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store(str(tmp_path))
    fsspec.filesystem("memory").store.clear()
    return Store("memory://run")


def test_what_was_noted_is_recalled_by_whoever_opens_it_next(store: Store) -> None:
    texts = {f"question {n}": 'line\n\u2028\ud800 \x00 "quoted" 答' * n for n in range(50)}
    for part in range(5):
        with journal.opened(store, FOLDER) as noted:
            for question in list(texts)[part::5]:
                noted.note(question, texts[question])
                assert noted.recall(question) == texts[question]
    with journal.opened(store, FOLDER) as found:
        assert {question: found.recall(question) for question in texts} == texts
        assert found.recall("another") is None


def test_a_torn_line_costs_its_own_answer_only(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with journal.opened(store, FOLDER) as noted:
        noted.note("first", "a")
        noted.note("second", "b")
    (part,) = (tmp_path / FOLDER).iterdir()
    part.write_bytes(part.read_bytes()[:-5] + b"\xff")
    with journal.opened(store, FOLDER) as found:
        assert (found.recall("first"), found.recall("second")) == ("a", None)
        found.note("second", "b")
    with journal.opened(store, FOLDER) as found:
        assert (found.recall("first"), found.recall("second")) == ("a", "b")


def test_local_answers_are_there_before_it_is_closed(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with journal.opened(store, FOLDER) as noted:
        noted.note("first", "a")
        with journal.opened(store, FOLDER) as other:
            assert other.recall("first") == "a"


def test_remote_answers_are_there_after_about_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.filesystem("memory").store.clear()
    store = Store("memory://run")
    monkeypatch.setattr(journal, "FLUSH_S", 0.0)
    with journal.opened(store, FOLDER) as noted:
        for n in range(20):
            noted.note(f"{n}", "a")
        assert store.names(FOLDER)
    with journal.opened(store, FOLDER) as found:
        assert all(found.recall(f"{n}") == "a" for n in range(20))


def test_a_journal_that_nobody_wrote_leaves_no_trace(store: Store) -> None:
    with journal.opened(store, FOLDER) as empty:
        assert empty.recall("anything") is None
    assert store.names() == set()


def test_journals_of_finished_shards_are_swept_and_others_stay(store: Store) -> None:
    finished = Shard(4, "abd", 2)
    for shard in (SHARD, finished):
        with journal.opened(store, shard.answers("caption-llm@1")) as noted:
            noted.note("question", "answer")
    store.write(finished.sidecar("caption-llm@1"), b"")
    journal.sweep(store, "caption-llm@1")
    left = store.names("caption-llm@1")
    assert {name.rpartition("/")[0] for name in left} == {FOLDER, "caption-llm@1"}
