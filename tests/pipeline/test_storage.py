"""A file under its final name is complete, whatever ends the writer."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import RunError
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


def test_a_run_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match=r"cannot be written: \w+"):
        Store(str(tmp_path / "file" / "run")).prepare()
