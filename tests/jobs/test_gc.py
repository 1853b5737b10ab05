"""What is removed is what the present job has no use for, and the run goes on as if it had never been."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs import gc
from jobs.commands import gc as command
from jobs.runs import Run
from pipeline.engine import packer
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import UsageError
from pipeline.join import INDEX
from pipeline.record import read_job
from pipeline.source.base import Item
from pipeline.storage import Store
from tests.fakes import Silent, items_of, job_of


def run(store: Store, items: list[Item], **rest: object) -> Outcome:
    return annotate(items, job_of(shard_size=5, **rest), store, InlineEngine(), Silent())  # type: ignore[arg-type]


def found(store: Store) -> dict[str, int]:
    garbage = gc.find(Run(store, read_job(store)))
    return {why: len(files) for why, files in garbage.files.items()}


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path}")


def test_a_run_that_was_never_changed_holds_nothing_to_remove(store: Store) -> None:
    run(store, items_of(20))
    store.write("reviews/one.json", b"{}")
    store.write("exports/one.json", b"{}")
    assert found(store) == {}


@pytest.mark.parametrize("packed", [False, True])
def test_what_goes_is_what_nothing_names(store: Store, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if packed:
        monkeypatch.setattr(packer, "PACK_SHARDS", 2)
    run(store, items_of(20))
    run(store, items_of(20), peak={"factor": 2.0})
    outcome = run(store, [*items_of(20)[:7], *items_of(20)[8:]], peak={"factor": 2.0})
    assert found(store) == {
        gc.OTHER_OPTIONS: 4 + 4,  # peak, and rank that reads it
        gc.OTHER_CLIPS: 1 + 4 + 1,  # the shard's clips, a sidecar of each annotator, its sound
        gc.OLD_DATASET: 1,
    }
    before = {name: store.read(name) for name in store.names()}
    garbage = gc.find(Run(store, read_job(store)))
    gc.remove(store, garbage)
    assert found(store) == {}
    gone = {name for files in garbage.files.values() for name in files}
    assert {name: store.read(name) for name in store.names()} == {
        name: data for name, data in before.items() if name not in gone
    }
    again = run(store, [*items_of(20)[:7], *items_of(20)[8:]], peak={"factor": 2.0})
    assert sum(p.tasks for p in again.phases) == 0
    assert again.joined == outcome.joined


def test_unfinished_files_and_answers_that_are_written_go(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    outcome = run(store, items_of(10))
    key = outcome.job.of("said")[0].key
    shard = outcome.shards[0]
    (tmp_path / key / ".tmp-1234").write_bytes(b"half a sidecar")
    store.write(f"{shard.answers(key)}/1.jsonl", b"[]")
    assert found(store) == {gc.UNFINISHED: 1, gc.ANSWERED: 1}
    command.run(str(tmp_path), dry_run=False, take_over=False, as_json=True, agree=lambda text: True)
    assert found(store) == {}
    assert not (tmp_path / shard.answers(key)).exists()


def test_answers_of_an_unfinished_shard_stay(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    outcome = run(store, items_of(10))
    key = outcome.job.of("said")[0].key
    store.remove(outcome.shards[0].sidecar(key))
    store.write(f"{outcome.shards[0].answers(key)}/1.jsonl", b"[]")
    assert found(store) == {}


def test_nothing_goes_unasked_and_what_would_go_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(str(tmp_path))
    run(store, items_of(10))
    run(store, items_of(10), peak={"factor": 2.0})
    files = store.files()
    with pytest.raises(UsageError, match="Nothing was removed"):
        command.run(str(tmp_path), dry_run=False, take_over=False, as_json=False, agree=lambda text: False)
    command.run(str(tmp_path), dry_run=True, take_over=False, as_json=False, agree=lambda text: True)
    assert "Nothing was removed." in (text := capsys.readouterr().out)
    assert gc.OTHER_OPTIONS in text
    assert store.files() == files
    assert store.exists(INDEX)
