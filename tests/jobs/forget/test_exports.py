"""Exports that may hold what is forgotten are named, and made anew without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.command import dataset, speechcraft
from tests.jobs.export.files import check_sums, contents
from tests.jobs.forget.held import NAMES, holds


def test_exports_are_named_and_can_be_made_anew(folder: Path) -> None:
    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    assert speechcraft("export", run, folder / "gone", "--filter", "id == 'seven'").code == 0
    ended = speechcraft("forget", run, "--clip", "seven", "--yes", "--rebuild", "--json")
    assert ended.json["exports"] == sorted([str(out), str(folder / "gone")])
    assert ended.json["not_rebuilt"] == [str(folder / "gone")]
    lines = (out / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in dataset(run)]
    assert not holds(run, "'seven'")
    listed = speechcraft("forget", run, "--clip", "match", "--yes", "--json")
    assert listed.json["exports"] == [str(out)]


def test_what_will_go_is_named_before_it_is_asked_whether_it_shall(folder: Path) -> None:
    run, out = folder / "run", folder / "out"
    (run / "report").mkdir()
    (run / "report" / "index.html").write_text("seven")
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    with mock.patch("typer.confirm", return_value=False) as asked:
        ended = speechcraft("forget", run, "--clip", "seven")
    assert ended.code == 2
    assert "Forget 1 clip or recording of" in asked.call_args.args[0]
    said = ended.err.splitlines()
    assert said[0] == "To be forgotten: seven."
    assert said[1].startswith("Written anew without them: every manifest, sidecar and sound")
    assert said[2].startswith("Removed: the report")
    assert said[3].startswith(f"It may hold them, and stays as it is without --rebuild: the export {out}")
    assert said[-1] == "Nothing was forgotten."
    assert {row["id"] for row in dataset(run)} == set(NAMES)
    assert (run / "report").exists()
    assert speechcraft("forget", run, "--clip", "seven", "--yes", "--json").json["report_removed"] is True
    assert not (run / "report").exists()


def test_a_copy_of_a_run_leaves_the_exports_of_the_run_it_was_copied_from(folder: Path) -> None:
    run, out, copy, own = (folder / name for name in ("run", "out", "copy", "own"))
    for name in (out, folder / "named"):
        chosen = ("--filter", "id == 'seven'") if name != out else ()
        assert speechcraft("export", run, name, "--to", "jsonl", "--audio", "none", *chosen).code == 0
    shutil.copytree(run, copy)
    assert speechcraft("export", copy, own, "--to", "jsonl", "--audio", "none").code == 0
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    ended = speechcraft("forget", copy, "--clip", "seven", "--yes", "--rebuild", "--json")
    assert ended.json["exports"] == [str(own)]
    assert ended.json["exports_of_others"] == sorted([str(out), str(folder / "named")])
    assert f"Left as it is: the export {out}, made from {run} and not from here." in ended.err
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    lines = (own / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in dataset(copy)]
    assert not holds(copy, "'seven'")


def test_what_others_put_beside_an_export_stays_when_it_is_made_anew(folder: Path) -> None:
    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    (out / "LICENSE").write_text("mine")
    assert (
        speechcraft("forget", run, "--clip", "seven", "--yes", "--rebuild", "--json").json["not_rebuilt"]
        == []
    )
    assert (out / "LICENSE").read_text() == "mine"
    assert (
        len((out / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()) == len(NAMES) - 1
    )


@pytest.mark.parametrize("by", ["--clip", "--speaker"])
def test_exports_that_a_kill_left_to_be_made_anew_are_by_the_same_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    from jobs.commands import forget

    def killed(*arguments: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    name = "seven" if by == "--clip" else {row["id"]: row["speaker"] for row in dataset(run)}["seven"]
    with monkeypatch.context() as patch:
        patch.setattr(forget, "export", killed)
        assert speechcraft("forget", run, by, name, "--yes", "--rebuild").code == 130
    again = speechcraft("forget", run, by, name, "--yes", "--rebuild", "--json")
    assert (again.json["forgotten"], again.json["exports"]) == ([], [str(out)])
    assert not holds(out, '"seven"')
    assert "There is no" in speechcraft("forget", run, by, f"{name}?", "--yes", "--rebuild").err


def test_killed_behind_any_file_that_it_removes_the_same_call_makes_the_export_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call ends behind one file more, until none is left to remove."""
    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    files = len(contents(out))
    unlink = Path.unlink

    def dying(self: Path, missing_ok: bool = False) -> None:
        there = self.exists()
        unlink(self, missing_ok)
        if there and self.is_relative_to(out):
            raise KeyboardInterrupt

    again = ("forget", run, "--clip", "seven", "--yes", "--rebuild", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dying)
        for _ in range(files):
            assert speechcraft(*again).code == 130
    assert speechcraft(*again).json["exports"] == [str(out)]
    assert not holds(out, '"seven"')
    check_sums(out)
    assert len(list((run / "exports").iterdir())) == 1


def test_killed_at_any_step_of_a_rebuild_the_same_call_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    again = ("forget", run, "--clip", "seven", "--yes", "--rebuild", "--json")
    export = "jobs.export.export"
    steps = ("ledger.replace", "ledger.begin", "make_plan", "write_parts", "ledger.seal", "ledger.put_away")
    for step in (f"{export}.{name}" for name in steps):
        with monkeypatch.context() as patch:
            patch.setattr(step, killed)
            assert speechcraft(*again).code == 130
    with monkeypatch.context() as patch:
        patch.setattr("jobs.commands.forget.remove_old", killed)
        assert speechcraft(*again).code == 130
    assert speechcraft(*again).json["exports"] == [str(out)]
    assert not holds(out, '"seven"')
    check_sums(out)
    assert len(list((run / "exports").iterdir())) == 1


def test_of_an_export_that_was_never_finished_and_of_which_no_clip_is_left_nothing_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    run, out = folder / "run", folder / "out"
    with monkeypatch.context() as patch:
        patch.setattr("jobs.export.export.write_parts", killed)
        assert speechcraft("export", run, out, "--filter", "id == 'seven'").code == 130
    assert contents(out)
    ended = speechcraft("forget", run, "--clip", "seven", "--yes", "--rebuild", "--json")
    assert ended.json["not_rebuilt"] == [str(out)]
    assert contents(out) == {}
    assert not holds(run, "'seven'")


def test_a_record_of_an_export_that_does_not_say_of_which_run_it_is_is_of_this_one(folder: Path) -> None:
    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    (record,) = (run / "exports").iterdir()
    facts = json.loads(record.read_bytes())
    del facts["run"]
    record.write_text(json.dumps(facts))
    ended = speechcraft("forget", run, "--clip", "seven", "--yes", "--rebuild", "--json")
    assert (ended.json["exports"], ended.json["not_rebuilt"]) == ([str(out)], [])
    assert not holds(out, '"seven"')


def filters(run: Path, out: Path) -> list[str]:
    """What the record in the run and the export itself say of what was chosen."""
    told = [*(run / "exports").iterdir(), out / "export.json"]
    return [json.loads(file.read_bytes())["request"]["filter"] for file in told]


def test_a_filter_that_names_what_is_forgotten_names_it_no_more_in_an_export_made_anew(folder: Path) -> None:
    run, out = folder / "run", folder / "out"
    speaker = next(row["speaker"] for row in dataset(run) if row["id"] == "seven")
    chosen = f"id not in ('seven', 'station') and not contains(transcript, 'seven') or speaker == '{speaker}'"
    ended = speechcraft("export", run, out, "--to", "jsonl", "--audio", "none", "--filter", chosen)
    assert ended.code == 0, ended.err
    for by, name in (("--clip", "seven"), ("--speaker", speaker)):
        ended = speechcraft("forget", run, by, name, "--yes", "--rebuild", "--json")
        assert ended.json["not_rebuilt"] == []
    first, second = filters(run, out)
    assert first == second
    assert "contains(transcript, 'seven')" in first
    assert "'station')" in first
    assert "('seven'" not in first.replace("contains(transcript, 'seven')", "")
    assert speaker not in first
    assert not holds(out, f"'{speaker}'")
    lines = (out / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    left = [row for row in dataset(run) if row["id"] != "station" and "seven" not in row["transcript"]]
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in left]


def test_a_record_that_a_kill_left_of_an_export_that_was_made_anew_goes_with_the_next_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.commands import forget
    from jobs.export.export import export

    def killed_after(*arguments: Any, **more: Any) -> None:
        export(*arguments, **more)
        raise KeyboardInterrupt

    run, out = folder / "run", folder / "out"
    assert speechcraft("export", run, out, "--to", "jsonl", "--audio", "none").code == 0
    with monkeypatch.context() as patch:
        patch.setattr(forget, "export", killed_after)
        assert speechcraft("forget", run, "--clip", "seven", "--yes", "--rebuild").code == 130
    assert len(list((run / "exports").iterdir())) == 2
    assert speechcraft("forget", run, "--clip", "match", "--yes", "--json").json["exports"] == [str(out)]
    assert len(list((run / "exports").iterdir())) == 1
