"""A file under its final name is complete, whatever ends the writer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RunError
from pipeline.presence import present
from pipeline.rundir import Shard
from pipeline.storage import Store


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path}")


def test_what_is_written_is_read_back(store: Store) -> None:
    store.prepare()
    store.write("a/b.bin", b"bytes")
    assert store.read("a/b.bin") == b"bytes"
    assert store.names() == {"a/b.bin"}
    assert bytes(store.map("a/b.bin")) == b"bytes"


def test_a_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with Store(str(tmp_path)).writing("a.bin") as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.rglob("*")) == []


def test_unfinished_files_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-1234").write_bytes(b"half")
    (tmp_path / "whole").write_bytes(b"all")
    assert Store(str(tmp_path)).names() == {"whole"}


def test_a_folder_that_is_not_there_holds_nothing(store: Store) -> None:
    assert store.names() == set()


def test_a_file_takes_the_name_of_another(store: Store) -> None:
    store.prepare()
    store.write("a", b"new")
    store.write("b", b"old")
    store.move("a", "b")
    assert store.read("b") == b"new"
    assert store.names() == {"b"}


def test_a_folder_is_listed_without_its_neighbours(store: Store) -> None:
    for name in ("a/one", "a/b/two", "a-old/three"):
        store.write(name, b"")
    assert store.names("a") == {"a/one", "a/b/two"}


def test_what_the_path_of_the_run_directory_holds_hides_no_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path / ".tmp-runs" / "run"))
    store.write("a", b"")
    assert store.names() == {"a"}


def test_a_file_system_of_its_own_is_listed_from_its_root() -> None:
    store = Store("memory://")
    store.write("alone/in/the/root", b"")
    assert "alone/in/the/root" in store.names()
    store.remove("alone")


def test_a_store_in_another_process_is_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kind, arguments = Store("run").__reduce__()
    monkeypatch.chdir("/")
    assert kind(*arguments).full("a") == str(tmp_path / "run" / "a")


def test_a_file_system_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(RunError, match="cannot be opened: Protocol not known"):
        Store("nothing://run")


def test_a_folder_has_one_holder_at_a_time(tmp_path: Path) -> None:
    store, other = Store(str(tmp_path)), Store(str(tmp_path))
    with store.locked(), pytest.raises(RunError, match="Another run is at work"), other.locked():
        pass
    with other.locked():
        pass


def test_a_sidecar_is_present_where_its_file_is(store: Store) -> None:
    shards = [Shard(i, f"{i:012x}", 1) for i in range(4)]
    store.write(shards[2].sidecar("pitch-dio@1"), b"")
    store.write(shards[3].sidecar("pitch-dio@2"), b"")
    found = present(store, shards, ["pitch-dio@1", "pitch-dio@2", "none@3"])
    assert {key: bits.tolist() for key, bits in found.items()} == {
        "pitch-dio@1": [False, False, True, False],
        "pitch-dio@2": [False, False, False, True],
        "none@3": [False] * 4,
    }


def test_a_run_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match=r"cannot be written: \w+"):
        Store(str(tmp_path / "file" / "run")).prepare()
