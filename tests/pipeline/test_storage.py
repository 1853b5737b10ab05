"""A file under its final name is complete, whatever ends the writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pipeline import filesystems
from pipeline.errors import RunError, StorageError
from pipeline.lease import held
from pipeline.presence import present
from pipeline.rundir import Shard
from pipeline.storage import Store
from tests.s3.server import KINDS, S3


class PlainFileSystem(MemoryFileSystem):
    """One of files rather than objects: what is half written can be seen."""

    protocol = "plain"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    breaks = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("plain://")))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        super().pipe_file(path, value[: len(value) // 2])
        if self.breaks:
            raise ConnectionResetError
        super().pipe_file(path, value)


fsspec.register_implementation("plain", PlainFileSystem, clobber=True)


@pytest.fixture(params=["local", "memory", "plain", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        server: S3 = request.getfixturevalue("s3")
        return Store(f"{server.bucket()}/run")
    return Store(str(tmp_path / "run") if request.param == "local" else f"{request.param}://{tmp_path}")


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
    with held(store), pytest.raises(RunError, match="Another run is at work"), held(other):
        pass
    with held(other):
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


def test_a_write_that_breaks_off_leaves_nothing_under_a_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystems, "FIRST_PAUSE_S", 0.0)
    store = Store(f"plain://{tmp_path}")
    store.write("a", b"whole")
    monkeypatch.setattr(PlainFileSystem, "breaks", True)
    with pytest.raises(StorageError, match=r"cannot be reached: .* same command goes on"):
        store.write("a", b"another")
    assert store.read("a") == b"whole"
    assert store.names() == {"a"}


@pytest.mark.parametrize("size", [0, 10, 11 * 2**20])
def test_a_file_written_piece_by_piece_is_put_whole(store: Store, size: int) -> None:
    with store.writing("folder/file") as file:
        file.write(bytes(size // 2))
        assert not store.exists("folder/file")
        file.write(bytes(size - size // 2))
    assert store.read("folder/file") == bytes(size)


@pytest.mark.parametrize("store", ["plain"], indirect=True)
def test_a_rename_that_was_made_and_answered_by_an_error_is_made(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = type(store._fs).mv

    def lost(self: object, *paths: str, **more: object) -> None:
        monkeypatch.setattr(type(store._fs), "mv", moved)
        moved(self, *paths, **more)
        raise ConnectionResetError("the answer was lost")

    monkeypatch.setattr(type(store._fs), "mv", lost)
    store.write("a", b"new")
    assert store.read("a") == b"new"
    assert store.names() == {"a"}


def test_a_file_takes_another_name_in_place_of_what_has_it(store: Store) -> None:
    store.write("folder/old", b"moved")
    store.write("other/new", b"in the way")
    store.rename("folder/old", "other/new")
    assert store.names() == {"other/new"}
    assert store.read("other/new") == b"moved"
    with pytest.raises(FileNotFoundError):
        store.rename("folder/old", "other/new")
    assert store.read("other/new") == b"moved"


def test_many_files_are_removed_and_none_that_is_not_named(store: Store) -> None:
    for name in ("a", "b", "folder/c", "folder/d"):
        store.write(name, b"")
    store.remove_files(["a", "folder/c"])
    store.remove_files([])
    assert store.names() == {"b", "folder/d"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_fails_one_request_in_four_costs_nothing_but_time(s3: S3, kind: str) -> None:
    store = Store(f"{s3.bucket()}/run")
    with s3.failing(4, [kind], seed=2):
        for i in range(4):
            store.write(f"a/{i}", b"%d" % i)
        assert store.names("a") == {f"a/{i}" for i in range(4)}
        assert [store.read(f"a/{i}") for i in range(4)] == [b"%d" % i for i in range(4)]
        assert store.exists("a/0")
        with pytest.raises(FileNotFoundError):
            store.read("a/none")
        store.remove_files(["a/0", "a/1", "a/2"])
        assert store.names() == {"a/3"}
    assert s3.done()[kind] > 1


def test_a_server_that_stays_away_is_one_sentence(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(filesystems, "REQUEST_TRIES", 1)
    store = Store(f"{s3.bucket()}/run")
    with s3.failing(1), pytest.raises(StorageError, match="cannot be reached: "):
        store.read("a")
    assert s3.done()["requests"] == filesystems.TRIES
    with s3.failing(1), pytest.raises(RunError, match="cannot be written: ") as caught:
        store.prepare()
    assert "\n" not in str(caught.value)


def test_a_bucket_that_is_not_there_is_one_sentence(s3: S3) -> None:
    with pytest.raises(RunError, match=r"s3://no-such-bucket/run cannot be written: \w+"):
        Store("s3://no-such-bucket/run").prepare()


def test_a_read_is_one_request_and_a_listing_is_one_a_thousand_files(s3: S3) -> None:
    store = Store(f"{s3.bucket()}/run")
    for i in range(20):
        store.write(f"a/{i}", b"x")
    s3.fail(0)
    store.read("a/3")
    assert s3.done()["requests"] == 1
    s3.fail(0)
    store.names("a")
    assert s3.done()["requests"] == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sftp://me:secret@host/run", "sftp://***@host/run"),
        ("cannot open 'ftp://a:b:c@h/x': no", "cannot open 'ftp://***@h/x': no"),
        ("https://h/a.wav?X-Amz-Signature=abc&x=1", "https://h/a.wav?X-Amz-Signature=***&x=1"),
        ("https://h/a?sv=1&sig=abc%3D", "https://h/a?sv=1&sig=***"),
        ("key=k, the-secret-of-the-test: denied", "key=k, ***: denied"),
        ("s3://bucket/me@home/a=b.wav", "s3://bucket/me@home/a=b.wav"),
        ("/runs/me:you@home", "/runs/me:you@home"),
    ],
)
def test_what_is_told_holds_no_password(text: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THIS_SECRET_KEY", "the-secret-of-the-test")
    assert filesystems.redacted(text) == told
