"""A disk that fills up or turns read-only: one sentence, nothing half-written, and the same command goes on.

On real file systems, mounted for the test: their errors come from the kernel.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import sounds
from pipeline.engine.base import Done, Lost, Tell
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import RunError, StorageError
from pipeline.storage import TEMPORARY, Store
from tests.command import dataset_files
from tests.fakes import Silent, items_of, job_of

CLIPS = 200  # 3.2 KB of sound each


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for half of the clips."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=500k", "none", folder)
    yield folder
    while subprocess.run(["umount", "--lazy", folder], stderr=subprocess.DEVNULL).returncode == 0:
        pass


class ReadOnlyLater(InlineEngine):
    """Its disk turns read-only after some tasks."""

    def __init__(self, disk: Path) -> None:
        super().__init__()
        self._disk, self._left = disk, 3

    def wait(self, tell: Tell) -> list[Done | Lost]:
        """As ever, until then."""
        self._left -= 1
        if not self._left:
            mount("--bind", self._disk, self._disk)
            mount("-o", "remount,bind,ro", self._disk)
        return list(super().wait(tell))


def run(folder: Path, engine: InlineEngine | None = None, clips: int = CLIPS) -> Outcome:
    store = Store(str(folder / "run"))
    return annotate(items_of(clips), job_of(), store, engine or InlineEngine(), Silent())


def assert_all_is_whole(run: Path) -> None:
    """Every file under a final name can be read to its end, and none under another is left."""
    files = [path for path in run.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        if path.suffix == ".parquet":
            pq.ParquetFile(path).read()
        if path.suffix == ".arrow":
            sounds.read(Store(str(run)), str(path.relative_to(run)))
            pa.ipc.open_file(path.read_bytes()).read_all().validate(full=True)
        assert TEMPORARY not in path.name or path.name == f"{TEMPORARY}lock"


def assert_goes_on(small: Path, elsewhere: Path, clips: int = CLIPS) -> None:
    outcome = run(small, clips=clips)
    assert outcome.joined.ok == clips
    assert outcome.given_up == []
    run(elsewhere, clips=clips)
    ours, theirs = (dataset_files(folder / "run") for folder in (small, elsewhere))
    assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]


def test_a_full_disk_is_one_sentence_and_costs_nothing_that_was_done(small: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        run(small)
    assert str(caught.value) == (
        f"{small}/run cannot be written: no space left on device. "
        "What is complete stays; the same command goes on from there."
    )
    assert_all_is_whole(small / "run")
    done = set((small / "run").glob("*@*/*.parquet"))
    before = {path: path.stat().st_mtime_ns for path in done}
    mount("-o", "remount,size=8m", small)
    assert_goes_on(small, tmp_path / "elsewhere")
    assert {path: path.stat().st_mtime_ns for path in done} == before


def test_a_disk_that_turns_read_only_is_one_sentence_and_the_run_goes_on_where_it_was(
    small: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"/run cannot be written: read-only file system\. What is"):
        run(small, ReadOnlyLater(small), clips=60)
    assert_all_is_whole(small / "run")
    with pytest.raises(RunError, match="cannot be written: read-only file system"):
        run(small, clips=60)
    subprocess.run(["umount", small], check=True)
    assert_goes_on(small, tmp_path / "elsewhere", clips=60)


@pytest.mark.parametrize("inodes", [8, 14])
def test_a_disk_without_room_for_another_file_is_full(tmp_path: Path, inodes: int) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size=8m,nr_inodes={inodes}", "none", folder)
    try:
        with pytest.raises(RunError, match="cannot be written: no space left on device"):
            run(folder, clips=60)
        mount("-o", "remount,nr_inodes=1000", folder)
        assert_goes_on(folder, tmp_path / "elsewhere", clips=60)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
