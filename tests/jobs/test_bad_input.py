"""Whatever lies in a folder or stands in a manifest: a row with a reason, or one sentence, never a crash."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
import soundfile as sf

from jobs.jobfile import build_job, read_profile
from pipeline.clip import Given
from tests.command import CLIPS, EXAMPLES, Ended, dataset, example, speechcraft, write_manifest

GOOD = ("brother", "red-book", "meeting", "zh-neighbour")
Wave = npt.NDArray[np.float64]


def speech() -> tuple[Wave, int]:
    wave, rate = sf.read(CLIPS / "red-book.wav")
    return wave, rate


def float_wav(path: Path, poison: float) -> None:
    wave, rate = speech()
    wave[1000] = poison
    sf.write(path, wave, rate, subtype="FLOAT")


def truncated_flac(path: Path) -> None:
    data = (CLIPS / "brother.flac").read_bytes()
    path.write_bytes(data[: len(data) // 2])


def many_channels(path: Path) -> None:
    wave, rate = speech()
    sf.write(path, np.stack([wave] * 8, axis=1), rate)


def high_rate(path: Path) -> None:
    wave, _ = speech()
    sf.write(path, np.repeat(wave[:20_000], 12), 192_000)


def constant(height: float, seconds: float) -> Callable[[Path], None]:
    return lambda path: sf.write(path, np.full(round(16_000 * seconds), height), 16_000)


BAD: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "empty.wav": (lambda path: path.write_bytes(b""), "sound: empty: "),
    "truncated.flac": (truncated_flac, "sound: truncated: "),
    "text.wav": (lambda path: path.write_text("Dear diary, today I was sound.\n" * 50), "sound: not_sound: "),
    "nan.wav": (lambda path: float_wav(path, np.nan), "sound: not_finite: "),
    "inf.wav": (lambda path: float_wav(path, np.inf), "sound: not_finite: "),
    "short.wav": (constant(0.1, 0.01), "sound: too_short: "),
    "silent.wav": (constant(0.0, 2.0), ": silent: "),
    "constant.wav": (constant(0.5, 2.0), None),
    "channels.wav": (many_channels, ""),
    "fast.wav": (high_rate, ""),
}
"""How each file is made and the error it must have: empty where it can be used, None where either will do."""


def annotate(source: Path, run: Path, *more: str) -> Ended:
    return speechcraft("annotate", source, "--out", run, "--engine", "inline", "--json", *more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every bad file among good ones with text."""
    folder = tmp_path_factory.mktemp("bad")
    for name, (make, _) in BAD.items():
        make(folder / name)
        (folder / name).with_suffix(".txt").write_text("I told you.")
    for id in GOOD:
        file = CLIPS / EXAMPLES[id]["audio"]
        shutil.copy(file, folder)
        (folder / file.name).with_suffix(".txt").write_text(EXAMPLES[id]["text"], "utf-8")
    return folder


def check(row: dict[str, Any], error: str | None) -> None:
    """The row says what it must, and what is not known of a failed clip is null."""
    if error is not None:
        assert row["status"] == ("failed" if error else "ok"), row
        assert error in (row["error"] or ""), row
    if error and error.startswith("sound: "):
        assert row["error"].startswith(error)
        assert {row["duration_s"], row["f0_median_hz"], row["rms_dbfs"], row["description"]} == {None}


def test_every_file_of_a_folder_has_a_row_which_names_what_is_wrong_with_it(
    folder: Path, tmp_path: Path
) -> None:
    ended = annotate(folder, tmp_path / "run", "--shard-size", "5")
    assert (ended.code, ended.json["shards_given_up"]) == (0, [])
    rows = {Path(row["audio"]).name: row for row in dataset(tmp_path / "run")}
    assert list(rows) == sorted(p.name for p in folder.iterdir() if p.suffix != ".txt")
    for name, row in rows.items():
        check(row, BAD[name][1] if name in BAD else "")


def test_bad_lines_of_a_manifest_cost_their_own_row_alone_and_the_dataset_loads(
    folder: Path, tmp_path: Path
) -> None:
    expected: dict[str, str | None] = {}
    lines: list[dict[str, object]] = []
    for i, (name, (_, error)) in enumerate(BAD.items()):
        lines += [{"id": name, "audio": str(folder / name), "text": "I told you.", "language": "en"}]
        expected[name] = error
        if i < len(GOOD):
            lines += [example(GOOD[i])]
            expected[GOOD[i]] = ""
    lines += [
        example("brother", id="gone", audio="gone.wav"),
        example("brother", id="folder", audio=str(folder)),
        example("brother"),
        {"id": "mute", "text": "no sound is named"},
        {"audio": str(folder / "fast.wav"), "offset_s": 900.0, "duration_s": 1.0, "text": "past the end"},
        example("zh-match"),
    ]
    codes = ["sound: not_found: ", "sound: unreadable: ", "sound: duplicate_id: ", "sound: ", "sound: ", ""]
    run = tmp_path / "run"
    ended = annotate(write_manifest(tmp_path / "clips.jsonl", *lines), run, "--shard-size", "8")
    assert (ended.code, ended.json["clips"]) == (0, len(lines))
    table = datasets.load_dataset(str(run / "dataset"), split="train", cache_dir=str(tmp_path / "cache"))
    rows = list(table)
    assert [row["id"] for row in rows[: len(expected)]] == list(expected)
    for row, error in zip(rows, [*expected.values(), *codes], strict=True):
        check(row, error)


@pytest.mark.parametrize("name", ["nowhere", "loop", "notes.txt", "empty", "pictures"])
def test_a_source_without_sound_is_refused_in_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a sentence cuts what is long, and pytest's paths may be
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.png").write_bytes(b"PNG")
    ended = annotate(Path(name), Path("run"))
    assert (ended.code, ended.out) == (2, "")
    assert name in ended.err
    assert ended.err.count("\n") == 1


ABSURD = Given(
    text="zzz",
    language="zh",
    speaker="nobody",
    gender="female",
    age_years=5.0,
    emotion="angry",
    emphasis_word="zzz",
    domain="studio",
    title="The price of zinc",
    description="Zinc, zebras and zoos.",
    category="zoology",
    source="a zoo",
    licence="CC0-1.0",
    attribution="Zoe",
)
"""Every field, and none of it true of the clips."""


def test_labels_never_reach_an_annotator_when_what_is_given_is_ignored(tmp_path: Path) -> None:
    assert None not in asdict(ABSURD).values()
    sound = [{"id": id, "audio": str(CLIPS / EXAMPLES[id]["audio"])} for id in ("later", "zh-neighbour")]
    labelled = [line | asdict(ABSURD) for line in sound]
    for name, lines in (("plain", sound), ("labelled", labelled)):
        source = write_manifest(tmp_path / f"{name}.jsonl", *lines)
        assert annotate(source, tmp_path / name, "--ignore-given").code == 0
    assert dataset(tmp_path / "labelled")[0]["title"] == "The price of zinc"
    assert values(tmp_path / "labelled") == values(tmp_path / "plain")
    job = build_job(read_profile("embedded"))
    assert values(tmp_path / "plain").keys() == {"cut", *job.families}


def values(run: Path) -> dict[str, list[dict[str, Any]]]:
    """Every sidecar's rows, by family."""
    files = sorted(run.glob("*@*/*.parquet"))
    return {file.parent.name.partition("-")[0]: pq.read_table(file).to_pylist() for file in files}
