"""What is forgotten is in no file of the run, does not come back, and costs nobody else anything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from pipeline import parquet, sounds
from pipeline.engine import packer
from pipeline.storage import Store
from tests.command import Ended, dataset, example, speechcraft, write_manifest
from tests.jobs.export.files import check_sums, contents

NAMES = ("forecast", "station", "zh-neighbour", "forecast-noise", "seven", "telephone", "match")


def annotate(folder: Path) -> Ended:
    ended = speechcraft(
        "annotate", folder / "clips.jsonl", "--out", folder / "run", "--engine", "inline", "--shard-size", 2,
        "--json", *(x for f in ("enhance", "emphasis") for x in ("--set", f"{f}=off")),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source of seven clips, and its run in shards of two."""
    folder = tmp_path_factory.mktemp("forget")
    write_manifest(folder / "clips.jsonl", *(example(name) for name in NAMES))
    annotate(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made"


def stamps(run: Path) -> dict[str, int]:
    """Every sidecar and sound with the time it was written."""
    files = [*run.glob("*@*/*.parquet"), *run.glob("*@*/*.arrow")]
    return {str(p.relative_to(run)): p.stat().st_mtime_ns for p in files}


def holds(run: Path, text: str) -> list[str]:
    """The files with this text in them, columns of tables included."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    for path in (p for p in run.rglob("*") if p.is_file()):
        held = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            held = repr(pq.ParquetFile(path).read().to_pydict()) + held
        if path.suffix == ".arrow":
            held = repr(pa.ipc.open_file(path.read_bytes()).read_all().column("id").to_pylist())
        if text in held:
            found.append(str(path.relative_to(run)))
    return found


def sounds_of(run: Path) -> int:
    store = Store(str(run))
    return sum(len(sounds.read(store, n)) for n in store.names() if n.endswith(".arrow"))


@pytest.mark.parametrize("gone", ["forecast", "zh-neighbour", "match"])
@pytest.mark.parametrize("source_too", [False, True])
def test_a_forgotten_clip_is_nowhere_and_a_resume_changes_nothing(
    folder: Path, gone: str, source_too: bool
) -> None:
    run = folder / "run"
    before = {row["id"]: row for row in dataset(run)}
    heard = sounds_of(run)
    assert speechcraft("forget", run, "--clip", gone, "--yes").code == 0
    assert not holds(run, f"'{gone}'")
    words = str(before[gone]["transcript"])
    twins = [row for row in before.values() if row["transcript"] == words]
    assert len(twins) > 1 or not holds(run, words)
    assert sounds_of(run) == heard - 1
    after = {row["id"]: row for row in dataset(run)}
    assert after == {name: row for name, row in before.items() if name != gone}

    if source_too:
        write_manifest(folder / "clips.jsonl", *(example(name) for name in NAMES if name != gone))
    kept = stamps(run)
    ended = annotate(folder)
    assert stamps(run) == kept
    assert {row["id"]: row for row in dataset(run)} == after
    assert ended.json["clips"] == len(NAMES) - 1


def test_a_speaker_is_forgotten_with_all_their_clips(folder: Path) -> None:
    run = folder / "run"
    speakers = {row["id"]: row["speaker"] for row in dataset(run)}
    speaker = speakers["forecast"]
    ended = speechcraft("forget", run, "--speaker", speaker, "--yes", "--json")
    assert set(ended.json["forgotten"]) == {n for n, s in speakers.items() if s == speaker}
    assert not holds(run, f"'{speaker}'")
    kept = stamps(run)
    annotate(folder)
    assert stamps(run) == kept


def test_a_kill_on_the_way_is_mended_by_the_same_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs import forget

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    for step in ("write_layout", "_remove", "join"):
        again = folder.parent / step
        shutil.copytree(folder, again)
        with monkeypatch.context() as patch:
            patch.setattr(forget, step, killed)
            assert speechcraft("forget", again / "run", "--clip", "station", "--yes").code == 130
        ended = speechcraft("forget", again / "run", "--clip", "station", "--yes")
        assert ended.code == 0 or "There is no clip" in ended.err
        assert not holds(again / "run", "'station'")
        annotate(again)
        assert {row["id"] for row in dataset(again / "run")} == set(NAMES) - {"station"}
        assert not holds(again / "run", "'station'")


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


def test_of_a_run_whose_sidecars_lie_in_packs_a_clip_is_forgotten_as_of_any(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packer, "PACK_SHARDS", 2)
    shutil.copyfile(made / "clips.jsonl", tmp_path / "clips.jsonl")
    annotate(tmp_path)
    run = tmp_path / "run"
    packed = [Store(str(run)).packed_sizes(str(p.relative_to(run))) for p in run.glob("*@*/pack-*.zip")]
    assert packed
    before = {row["id"]: row for row in dataset(run)}
    for gone in ("forecast", "match"):  # in a pack with a neighbour; in a shard by itself
        assert speechcraft("forget", run, "--clip", gone, "--yes").code == 0
        del before[gone]
        assert {row["id"]: row for row in dataset(run)} == before
        store = Store(str(run))
        for name in store.names():
            if "@" in name and name.endswith(".parquet"):
                assert gone not in parquet.read(store, name, ["id"]).column("id").to_pylist()
    ended = annotate(tmp_path)
    assert ended.json["annotators"] == {}
    assert {row["id"]: row for row in dataset(run)} == before


def test_of_clips_that_went_away_one_is_forgotten_and_the_others_come_back_as_they_were(folder: Path) -> None:
    run = folder / "run"
    before = {row["id"]: row for row in dataset(run)}
    annotate(folder)  # both were copied: the run is of the source where that lies now
    write_manifest(folder / "clips.jsonl", *map(example, NAMES[:4]))
    annotate(folder)
    assert {row["id"] for row in dataset(run)} == set(NAMES[:4])
    assert speechcraft("forget", run, "--clip", "seven", "--yes").code == 0
    assert not holds(run, "'seven'")
    write_manifest(folder / "clips.jsonl", *map(example, NAMES))
    assert annotate(folder).json["annotators"] == {}
    assert {row["id"]: row for row in dataset(run)} == {k: v for k, v in before.items() if k != "seven"}


def test_all_clips_can_be_forgotten(folder: Path) -> None:
    run = folder / "run"
    for name in NAMES:
        assert speechcraft("forget", run, "--clip", name, "--yes").code == 0
    assert not any(holds(run, f"'{name}'") for name in NAMES)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--clip", "nobody"], "There is no clip 'nobody'"),
        (["--speaker", "nobody"], "There is no speaker 'nobody'"),
        ([], "Give --speaker or --clip"),
        (["--clip", "a", "--speaker", "b"], "Give --speaker or --clip"),
    ],
)
def test_what_is_not_there_is_said(folder: Path, options: list[str], says: str) -> None:
    before = stamps(folder / "run")
    ended = speechcraft("forget", folder / "run", *options, "--yes")
    assert ended.code == 2
    assert says in ended.err
    assert stamps(folder / "run") == before


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ("long-b", False),
        ("an utterance", False),
        ("short-0", False),
        ("long-b", True),
        ("an utterance", True),
    ],
)
def test_utterances_of_long_recordings_keep_their_places(tmp_path: Path, gone: str, told: bool) -> None:
    """A recording takes its utterances with it; an utterance leaves its recording's others alone.

    So it is whether or not the source told how long the recordings are."""
    import numpy as np
    import soundfile

    spoken, rate_hz = soundfile.read(str(example("forecast")["audio"]), dtype="float32")
    pause = np.zeros(3 * rate_hz, np.float32)
    for name in ("long-a", "long-b", "long-c"):
        soundfile.write(tmp_path / f"{name}.wav", np.concatenate([spoken, pause, spoken[::-1]]), rate_hz)
    length = {"duration_s": (2 * len(spoken) + len(pause)) / rate_hz} if told else {}
    lines = [
        {"id": name, "audio": str(tmp_path / f"{name}.wav"), "language": "en", "speaker": name, **length}
        for name in ("long-a", "long-b", "long-c")
    ]
    short = [example("station", id=f"short-{i}") for i in range(3)]
    write_manifest(tmp_path / "clips.jsonl", lines[0], short[0], lines[1], short[1], lines[2], short[2])

    def again() -> None:
        ended = speechcraft(
            "annotate", tmp_path / "clips.jsonl", "--out", tmp_path / "run", "--engine", "inline",
            "--shard-size", 2, "--set", "cut.whole_s=8",
            *(x for f in ("enhance", "emphasis", "words", "speed", "labels") for x in ("--set", f"{f}=off")),
        )  # fmt: skip
        assert ended.code == 0, ended.err

    again()
    run = tmp_path / "run"
    ids = [row["id"] for row in dataset(run)]
    assert len(ids) == 9
    if gone == "an utterance":
        gone = next(name for name in ids if name.startswith("long-b@"))
    assert speechcraft("forget", run, "--clip", gone, "--yes").code == 0
    left = [name for name in ids if name != gone and not name.startswith(f"{gone}@")]
    assert [row["id"] for row in dataset(run)] == left
    assert not holds(run, f"'{gone}")
    kept = stamps(run)
    again()
    assert stamps(run) == kept
    assert [row["id"] for row in dataset(run)] == left
