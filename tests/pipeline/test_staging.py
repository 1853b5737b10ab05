"""A model that lies far away is brought here once, whole, and is the same model."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from pipeline import filesystems, staging
from pipeline.models import ModelError, Published, locate
from pipeline.staging import STAGE_FOLDER, staged
from tests.s3.server import S3

FILES = {"weights.bin": bytes(range(256)) * 4000, "nested/config.json": b"{}", "vocab.txt": b"a b c"}


@pytest.fixture(params=["file", "memory", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of a folder with a model in it, org/model."""
    where = {"file": f"file://{tmp_path}/shelf", "memory": f"memory://{tmp_path}/shelf"}
    url = where.get(request.param) or f"{request.getfixturevalue('s3').bucket()}/shelf"
    for name, data in FILES.items():
        put(f"{url}/org/model/{name}", data)
    return url


@pytest.fixture(autouse=True)
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(STAGE_FOLDER, str(tmp_path / "stage"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SPEECHCRAFT_MODELS", raising=False)
    return tmp_path / "stage"


def put(url: str, data: bytes) -> None:
    fs, path = fsspec.core.url_to_fs(url)
    fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    fs.pipe_file(path, data)


def sums(wanted: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in wanted.items()).encode()


def model_at(name: str) -> Published:
    return Published(name, ("weights.bin",), "MIT", True, 10, "a model")


def copies(stage: Path) -> list[Path]:
    return [path for path in stage.iterdir() if path.is_dir()]


def test_a_model_at_a_url_is_the_model_of_a_local_copy(shelf: str, stage: Path, tmp_path: Path) -> None:
    local = tmp_path / "local"
    for name, data in FILES.items():
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_bytes(data)
    far = locate(model_at(f"{shelf}/org/model"))
    assert far.folder.is_relative_to(stage)
    assert {
        str(p.relative_to(far.folder)): p.read_bytes() for p in far.folder.rglob("*") if p.is_file()
    } == FILES
    assert far.identity == locate(model_at(str(local))).identity


def test_a_hub_id_is_found_on_a_shelf_far_away(
    shelf: str, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECHCRAFT_MODELS", shelf)
    assert (locate(model_at("org/model")).folder / "weights.bin").read_bytes() == FILES["weights.bin"]
    with pytest.raises(ModelError, match="is not on this machine"):
        locate(model_at("org/another"))


def test_a_single_file_is_a_model_too(shelf: str) -> None:
    found = locate(model_at(f"{shelf}/org/model/weights.bin"))
    assert (found.folder / "weights.bin").read_bytes() == FILES["weights.bin"]


def test_it_is_copied_once_and_again_when_it_changed(shelf: str, stage: Path) -> None:
    first = staged(f"{shelf}/org/model")
    stamp = (first / "weights.bin").stat().st_mtime_ns if first else 0
    assert staged(f"{shelf}/org/model") == first
    assert first is not None
    assert (first / "weights.bin").stat().st_mtime_ns == stamp
    put(f"{shelf}/org/model/weights.bin", b"trained longer")
    second = staged(f"{shelf}/org/model")
    assert second not in (None, first)
    assert len(copies(stage)) == 2


def test_what_is_not_there_or_not_known_is_one_sentence(shelf: str) -> None:
    assert staged(f"{shelf}/nothing") is None
    with pytest.raises(ModelError, match="There is no model at"):
        locate(model_at(f"{shelf}/nothing"))
    with pytest.raises(ModelError, match="cannot be read: "):
        locate(model_at("nosuch://bucket/model"))


def test_what_is_not_as_its_list_of_digests_says_is_refused(shelf: str, stage: Path) -> None:
    put(f"{shelf}/org/model/SHA256SUMS", sums(FILES))
    assert staged(f"{shelf}/org/model") is not None
    put(f"{shelf}/org/model/SHA256SUMS", sums(FILES | {"vocab.txt": b"another"}))
    with pytest.raises(ModelError, match=r"vocab\.txt of the model at .* is not what its SHA256SUMS says"):
        locate(model_at(f"{shelf}/org/model"))
    put(f"{shelf}/org/model/SHA256SUMS", sums(FILES | {"more.bin": b""}))
    with pytest.raises(ModelError, match=r"lacks more\.bin, which its SHA256SUMS names"):
        locate(model_at(f"{shelf}/org/model"))
    assert len(copies(stage)) == 1


def test_what_a_killed_copy_left_is_cleared_away(shelf: str, stage: Path) -> None:
    found = staged(f"{shelf}/org/model")
    assert found is not None
    found.rename(stage / f".tmp-{found.name}-{platform.node()}-1234")
    assert staged(f"{shelf}/org/model") == found
    assert copies(stage) == [found]


def test_what_another_machine_is_at_work_on_is_left_to_it_for_a_day(
    shelf: str, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = staged(f"{shelf}/org/model")
    assert found is not None
    others = stage / f".tmp-{found.name}-another-1234"
    found.rename(others)
    assert staged(f"{shelf}/org/model") == found
    assert set(copies(stage)) == {found, others}
    shutil.rmtree(found)
    monkeypatch.setattr(staging, "STALE_S", -1.0)
    assert staged(f"{shelf}/org/model") == found
    assert copies(stage) == [found]


@pytest.mark.parametrize("looked_at", ["", "nested", "weights.bin"])
def test_what_another_machine_finishes_while_it_is_looked_at_is_in_nobodys_way(
    shelf: str, stage: Path, monkeypatch: pytest.MonkeyPatch, looked_at: str
) -> None:
    found = staged(f"{shelf}/org/model")
    assert found is not None
    others = stage / f".tmp-{found.name}-another-1234"
    found.rename(others)
    lstat = Path.lstat

    def late(self: Path) -> os.stat_result:
        if self == others / looked_at and others.exists():
            others.rename(found)
        return lstat(self)

    monkeypatch.setattr(Path, "lstat", late)
    assert staged(f"{shelf}/org/model") == found
    assert copies(stage) == [found]


def test_where_there_are_no_locks_nothing_is_cleared_away(
    shelf: str, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    found = staged(f"{shelf}/org/model")
    assert found is not None
    others = stage / f".tmp-{found.name}-{platform.node()}-1234"
    found.rename(others)
    monkeypatch.setattr(fcntl, "flock", refused)
    assert staged(f"{shelf}/org/model") == found
    assert set(copies(stage)) == {found, others}


def test_a_copy_cut_short_is_refused(shelf: str, stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proved = staging._prove

    def cut(file: Path, *arguments: object) -> None:
        if file.name == "weights.bin":
            file.write_bytes(file.read_bytes()[:-1])
        proved(file, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(staging, "_prove", cut)
    with pytest.raises(ModelError, match=r"weights\.bin of the model at .* came as 1023999 bytes of 1024000"):
        locate(model_at(f"{shelf}/org/model"))
    assert copies(stage) == []


def test_two_processes_at_once_copy_it_once(s3: S3, stage: Path) -> None:
    url = f"{s3.bucket()}/model"
    for name, data in FILES.items():
        put(f"{url}/{name}", data)
    s3.fail(0)
    code = f"from pipeline.staging import staged; print(staged({url!r}))"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    paths = {process.communicate()[0] for process in processes}
    assert len(paths) == 1
    assert s3.done()["GET"] == 2 + len(FILES)  # two listings, and each file once
    assert len(copies(stage)) == 1


def test_a_server_that_fails_now_and_then_costs_nothing(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "FIRST_PAUSE_S", 0.0)
    url = f"{s3.bucket()}/model"
    for name, data in FILES.items():
        put(f"{url}/{name}", data)
    with s3.failing(3, seed=4):
        found = staged(url)
    assert found is not None
    assert (found / "weights.bin").read_bytes() == FILES["weights.bin"]
    assert s3.done()["slow"] > 0
