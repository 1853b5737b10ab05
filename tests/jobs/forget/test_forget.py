"""What is forgotten is in no file of the run, does not come back, and costs nobody else anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline import parquet
from pipeline.engine import packer
from pipeline.storage import Store
from tests.command import dataset, example, speechcraft, write_manifest
from tests.jobs.forget.held import NAMES, annotate, holds, sounds_of, stamps
from tests.once import once


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
        assert ended.code == 0, ended.err
        assert not holds(again / "run", "'station'")
        assert {row["id"] for row in dataset(again / "run")} == set(NAMES) - {"station"}
        done = speechcraft("forget", again / "run", "--clip", "station", "--yes")
        assert "There is no clip 'station'" in done.err
        annotate(again)
        assert {row["id"] for row in dataset(again / "run")} == set(NAMES) - {"station"}
        assert not holds(again / "run", "'station'")


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


def annotate_long(source: Path, run: Path) -> None:
    ended = speechcraft(
        "annotate", source / "clips.jsonl", "--out", run, "--engine", "inline", "--shard-size", 2,
        "--set", "cut.whole_s=8",
        *(x for f in ("enhance", "emphasis", "words", "speed", "labels") for x in ("--set", f"{f}=off")),
    )  # fmt: skip
    assert ended.code == 0, ended.err


def make_long(folder: Path, *, told: bool) -> None:
    """Three recordings of two utterances each among three clips, and their run; `told`: how long they are."""
    spoken, rate_hz = soundfile.read(str(example("forecast")["audio"]), dtype="float32")
    pause = np.zeros(3 * rate_hz, np.float32)
    for name in ("long-a", "long-b", "long-c"):
        soundfile.write(folder / f"{name}.wav", np.concatenate([spoken, pause, spoken[::-1]]), rate_hz)
    length = {"duration_s": (2 * len(spoken) + len(pause)) / rate_hz} if told else {}
    lines = [
        {"id": name, "audio": str(folder / f"{name}.wav"), "language": "en", "speaker": name, **length}
        for name in ("long-a", "long-b", "long-c")
    ]
    short = [example("station", id=f"short-{i}") for i in range(3)]
    write_manifest(folder / "clips.jsonl", lines[0], short[0], lines[1], short[1], lines[2], short[2])
    annotate_long(folder, folder / "run")


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("gone", ["long-b", "an utterance", "short-0"])
def test_utterances_of_long_recordings_keep_their_places(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, gone: str, told: bool
) -> None:
    """A recording takes its utterances with it; an utterance leaves its recording's others alone.

    So it is whether or not the source told how long the recordings are."""
    source = once(tmp_path_factory, f"long-{told}", lambda folder: make_long(folder, told=told))
    run = shutil.copytree(source / "run", tmp_path / "run")
    ids = [row["id"] for row in dataset(run)]
    assert len(ids) == 9
    if gone == "an utterance":
        gone = next(name for name in ids if name.startswith("long-b@"))
    assert speechcraft("forget", run, "--clip", gone, "--yes").code == 0
    left = [name for name in ids if name != gone and not name.startswith(f"{gone}@")]
    assert [row["id"] for row in dataset(run)] == left
    assert not holds(run, f"'{gone}")
    kept = stamps(run)
    annotate_long(source, run)
    assert stamps(run) == kept
    assert [row["id"] for row in dataset(run)] == left
