"""An export that is killed goes on behind its finished parts, and its bytes do not tell."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.export import ledger, plan
from jobs.export.export import export
from jobs.export.forms.base import Clip
from jobs.export.forms.jsonl import JsonlPart
from jobs.export.forms.parquet import ParquetPart
from jobs.export.forms.webdataset import WebDatasetPart
from jobs.export.request import Request
from pipeline.errors import StorageError
from pipeline.lease import LEASE, LOCK
from pipeline.storage import TEMPORARY, Store
from tests.jobs.export.files import check_sums, contents

WRITERS: dict[str, Any] = {"hf": ParquetPart, "webdataset": WebDatasetPart, "jsonl": JsonlPart}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("at", [1, 4, 7])
def test_killed_anywhere_it_ends_with_the_same_bytes(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, at: int
) -> None:
    """A child process ends without a word at the clip; parts of two clips."""
    monkeypatch.setattr(plan, "PART_ROWS", 2)
    writer = WRITERS[form]
    add = writer.add
    calls = 0

    def dying(self: object, clip: Clip) -> None:
        nonlocal calls
        calls += 1
        if calls > at:
            os._exit(9)
        add(self, clip)

    out = tmp_path / "out"
    child = os.fork()
    if child == 0:
        writer.add = dying
        export(str(run), str(out), Request(form), lambda text: None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    finished = {n: (out / n).stat().st_mtime_ns for n in contents(out) if n.startswith("data/train")}
    assert len(finished) == at // 2

    export(str(run), str(out), Request(form), lambda text: None)
    export(str(run), str(tmp_path / "whole"), Request(form), lambda text: None)
    assert contents(out) == contents(tmp_path / "whole")
    assert all((out / n).stat().st_mtime_ns == t for n, t in finished.items())
    check_sums(out)


def test_a_failure_leaves_no_unfinished_part(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, clip: Clip) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ParquetPart, "add", full)
    with pytest.raises(StorageError, match="cannot be written: no space left on device"):
        export(str(run), str(tmp_path / "out"), Request("hf"), lambda text: None)
    left = contents(tmp_path / "out")
    assert not [name for name in left if name.startswith("data/")]
    assert not [name for name in left if TEMPORARY in name and name != LOCK]


def test_a_finished_export_is_left_alone(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    first = export(str(run), str(out), Request("hf"), lambda text: None)
    monkeypatch.setattr(ParquetPart, "add", None)
    assert export(str(run), str(out), Request("hf"), lambda text: None) == first


def test_another_state_of_the_run_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    export(str(tmp_path / "run"), str(tmp_path / "out"), Request("hf"), lambda text: None)
    index = tmp_path / "run" / "dataset" / "index.json"
    index.write_text(index.read_text("utf-8").replace('"sha256": "', '"sha256": "0'), "utf-8")
    with pytest.raises(Exception, match="earlier state of the run"):
        export(str(tmp_path / "run"), str(tmp_path / "out"), Request("hf"), lambda text: None)
    assert ledger.MADE in contents(tmp_path / "out")
    check_sums(tmp_path / "out")


def test_a_finished_export_that_lacks_a_file_is_completed(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(str(run), str(out), Request("jsonl"), lambda text: None)
    whole = contents(out)
    (out / next(name for name in whole if name.startswith("data/"))).unlink()
    export(str(run), str(out), Request("jsonl"), lambda text: None)
    assert contents(out) == whole


@pytest.mark.parametrize("step", ["seal", "put_away"])
def test_killed_at_its_end_it_is_the_same_export_after_the_same_call(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(ledger, step, killed)
        with pytest.raises(KeyboardInterrupt):
            export(str(run), str(out), Request("jsonl"), lambda text: None)
    first = export(str(run), str(out), Request("jsonl"), lambda text: None)
    check_sums(out)
    assert export(str(run), str(out), Request("jsonl"), lambda text: None) == first
    assert ledger.MADE in (out / ledger.SUMS).read_text("utf-8")


def test_a_run_that_cannot_be_written_is_exported_and_that_forgetting_will_not_know_is_said(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Store.write

    def read_only(store: Store, path: str, data: bytes) -> None:
        if store.full("") == Store(str(run)).full(""):
            raise store.unusable("written", OSError(errno.EROFS, "Read-only file system"))
        write(store, path, data)

    monkeypatch.setattr(Store, "write", read_only)
    said: list[str] = []
    export(str(run), str(tmp_path / "out"), Request(to="jsonl", audio="none"), said.append)
    check_sums(tmp_path / "out")
    assert "The run cannot be written: `speechcraft forget` will not know of this export." in said


def test_what_a_killed_export_left_goes_and_what_says_who_is_at_work_stays(tmp_path: Path) -> None:
    for name in (LOCK, LEASE, f"{TEMPORARY}1234"):
        (tmp_path / name).write_bytes(b"")
    ledger.sweep(Store(str(tmp_path)))
    assert {file.name for file in tmp_path.iterdir()} == {LOCK, LEASE}
