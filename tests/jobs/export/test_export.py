"""Each form, loaded with the library its users use, holds the dataset's rows and the sound of its clips."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.command import dataset, example, speechcraft, write_manifest
from tests.jobs.export.conftest import HOSTILE_ID, PIECE, SPAN
from tests.jobs.export.files import check_sums, contents, decode

FORMS = ("hf", "parquet", "webdataset", "jsonl", "lhotse", "paper")


def export(run: Path, to: Path, *options: object) -> Path:
    ended = speechcraft("export", run, to, *options)
    assert ended.code == 0, ended.err
    return to


@pytest.fixture(scope="module")
def hf(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The hf form as users load it."""
    import datasets

    folder = export(run, tmp_path_factory.mktemp("hf") / "out", "--split", "by=clip,test=0.3")
    return datasets.load_dataset(str(folder), cache_dir=str(folder.parent / "cache"))


def test_hf_has_typed_features(hf: Any) -> None:
    features = hf["train"].features
    assert type(features["audio"]).__name__ == "Audio"
    assert features["gender"].names == ["female", "male"]
    assert features["speed_label"].names == ["slow", "normal", "fast"]
    assert features["age_group"].names[0] == "child"
    assert features["caption_source"].names == ["realiser"]
    assert features["words"].feature["start_s"].dtype == "float64"
    assert features["caption_attributes"].feature.dtype == "string"


def test_hf_holds_the_rows_of_the_dataset(run: Path, hf: Any) -> None:
    import datasets

    wanted = {row["id"]: row for row in dataset(run)}
    found = {}
    for split in hf.values():
        classes = {n: f for n, f in split.features.items() if type(f).__name__ == "ClassLabel"}
        for row in split.cast_column("audio", datasets.Audio(decode=False)):
            named = {n: None if row[n] is None else f.int2str(row[n]) for n, f in classes.items()}
            found[row["id"]] = row | named
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert {n: found[name][n] for n in wanted[name] if n != "audio"} == {
            n: v for n, v in wanted[name].items() if n != "audio"
        }


def test_hf_decodes(hf: Any) -> None:
    import datasets

    cells = {
        row["id"]: row["audio"]
        for split in hf.values()
        for row in split.cast_column("audio", datasets.Audio(decode=False))
    }
    assert cells["forecast"]["bytes"] == Path(str(example("forecast")["audio"])).read_bytes()
    assert cells["broken"] is None or cells["broken"]["bytes"] is None
    with av.open(io.BytesIO(cells["old-house"]["bytes"])) as container:
        assert sum(f.samples for f in container.decode(audio=0)) > 0
    samples, rate_hz = decode(cells["wide"]["bytes"])
    assert samples.shape[1] == 2
    assert rate_hz == 44100


def test_hf_decodes_by_datasets(hf: Any) -> None:
    try:
        importlib.import_module("torchcodec")
    except (ImportError, OSError, RuntimeError):
        pytest.skip("datasets decodes by torchcodec, and that by FFmpeg: apt-get install ffmpeg")
    row = next(r for split in hf.values() for r in split if r["id"] == "forecast")
    wanted, _ = decode(str(example("forecast")["audio"]))
    assert np.array_equal(np.rint(row["audio"]["array"] * 32768), wanted)


def test_parquet_holds_the_rows_and_plain_words(run: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    folder = export(run, tmp_path / "out", "--to", "parquet")
    table = pq.read_table(folder / "data" / "train-00000-of-00001.parquet")
    rows = [{n: v for n, v in row.items() if n != "audio"} for row in table.to_pylist()]
    assert rows == [{n: v for n, v in row.items() if n != "audio"} for row in dataset(run)]
    meaning = table.schema.field("f0_median_hz").metadata or {}
    assert meaning[b"unit"] == b"Hz"


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves its files open
def test_webdataset_gives_every_clip_with_its_sound(run: Path, tmp_path: Path) -> None:
    import webdataset

    folder = export(run, tmp_path / "out", "--to", "webdataset")
    urls = [str(p) for p in sorted(folder.glob("data/*.tar"))]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False))
    rows = [json.loads(sample["json"]) for sample in samples]
    assert [r["id"] for r in rows] == [r["id"] for r in dataset(run)]
    for row, sample, wanted in zip(rows, samples, dataset(run), strict=True):
        assert {n: v for n, v in row.items() if n != "audio"} == {
            n: v for n, v in wanted.items() if n != "audio"
        }
        assert (row["audio"] is None) == (row["id"] == "broken")
        if row["audio"]:
            assert sample["__key__"] + "." + row["audio"].rpartition(".")[2] == row["audio"]
            assert len(sample[row["audio"].rpartition(".")[2]]) > 1000


def test_why_a_clip_has_no_sound_is_told_as_its_row_tells_it(run: Path, tmp_path: Path) -> None:
    (error,) = [row["error"] for row in dataset(run) if row["id"] == "broken"]
    code, reason = error.partition("; ")[0].removeprefix("sound: ").split(": ", 1)
    ended = speechcraft("export", run, tmp_path / "out", "--to", "jsonl")
    assert f"1 without sound: {code} (broken: {reason})" in ended.out


def test_jsonl_points_at_its_sound(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", "--to", "jsonl", "--sound", "raw")
    lines = (folder / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [{**r, "audio": None} for r in rows] == [{**r, "audio": None} for r in dataset(run)]
    for row in rows:
        if row["audio"]:
            assert (folder / row["audio"]).resolve().is_relative_to(folder)
            assert decode(folder / row["audio"])[1] == 16000


def test_lhotse_loads_cuts_with_words_and_sound(run: Path, tmp_path: Path) -> None:
    from lhotse import CutSet, SupervisionSet

    folder = export(run, tmp_path / "out", "--to", "lhotse")
    cuts = CutSet.from_jsonl(folder / "cuts" / "train-00000-of-00001.jsonl.gz").to_eager()
    rows = {row["id"]: row for row in dataset(run)}
    assert [cut.id for cut in cuts] == [name for name in rows if name != "broken"]
    for cut in cuts.with_recording_path_prefix(str(folder)):
        row, supervision = rows[cut.id], cut.supervisions[0]
        assert supervision.text == row["transcript"]
        assert supervision.custom["description"] == row["description"]
        spoken = (supervision.alignment or {}).get("word", [])
        assert [item.symbol for item in spoken] == [w["word"] for w in row["words"] or []]
        if not cut.recording.sources[0].source.endswith(".m4a"):
            assert cut.load_audio().shape == (cut.num_channels, cut.num_samples)
    supervisions = SupervisionSet.from_jsonl(folder / "supervisions" / "train-00000-of-00001.jsonl.gz")
    assert [s.id for s in supervisions] == list(rows)


def test_the_papers_form_parts_languages_and_names_its_labels(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", "--to", "paper", "--audio", "none")
    rows = {row["id"]: row for row in dataset(run)}
    name = "train-00000-of-00001.jsonl"
    lines = (folder / "zh" / "labels" / name).read_text("utf-8").splitlines()
    (labels,) = map(json.loads, lines)
    wanted = rows["zh-neighbour"]
    assert (labels["pitch"], labels["age"]) == (wanted["pitch_label"], wanted["age_group"])
    assert labels.keys() == {"id", "audio", "gender", "age", "pitch", "energy", "speed"} | {
        "emotion", "emphasis", "topic", "transcript"
    }  # fmt: skip
    captions = (folder / "en" / "descriptions" / name).read_text("utf-8").splitlines()
    for line in map(json.loads, captions):
        assert line["description"] == rows[line["id"]]["description"]


def test_the_papers_form_leaves_out_what_has_no_caption_and_says_so(run: Path, tmp_path: Path) -> None:
    ended = speechcraft("export", run, tmp_path / "out", "--to", "paper", "--audio", "none")
    assert "1 dropped by caption" in ended.out
    assert "without sound" not in ended.out
    assert {f.name for f in (tmp_path / "out").iterdir() if f.is_dir()} == {"en", "zh"}
    (line,) = map(json.loads, (tmp_path / "out" / "dropped.jsonl").read_text("utf-8").splitlines())
    assert (line["id"], line["reason"]) == ("broken", "caption")
    assert line["why"].startswith("sound: ")


def test_in_the_papers_form_a_caption_is_under_its_own_language(tmp_path: Path) -> None:
    source = write_manifest(
        tmp_path / "clips.jsonl",
        example("forecast", id="wetter", text="Morgen wird es kalt.", language="de"),
        example("zh-neighbour"),
    )
    ended = speechcraft("annotate", source, "--out", tmp_path / "run", "--engine", "inline")
    assert ended.code == 0, ended.err
    folder = export(tmp_path / "run", tmp_path / "out", "--to", "paper", "--audio", "none")
    for kind in ("descriptions", "instructions", "labels"):
        (line,) = (folder / "en" / kind / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
        assert json.loads(line)["id"] == "wetter"
    assert {f.name for f in folder.iterdir() if f.is_dir()} == {"en", "zh"}


def test_a_span_is_cut_at_its_own_rate_to_the_sample(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", "--to", "jsonl", "--filter", f"id == {PIECE!r}")
    (line,) = (folder / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    found, rate_hz = decode(folder / json.loads(line)["audio"])
    whole, _ = decode(str(example("forecast")["audio"]))
    start = round(SPAN[0] * rate_hz)
    assert np.array_equal(found, whole[start : start + round(SPAN[1] * rate_hz)])


def test_raw_sound_of_16_bits_at_16_khz_comes_back_sample_for_sample(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", "--to", "jsonl", "--sound", "raw", "--filter", "id == 'forecast'")
    (line,) = (folder / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    found, _ = decode(folder / json.loads(line)["audio"])
    assert np.array_equal(found, decode(str(example("forecast")["audio"]))[0])


def test_enhanced_sound_is_what_annotators_heard(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", "--to", "jsonl", "--sound", "enhanced")
    raw = export(run, tmp_path / "raw", "--to", "jsonl", "--sound", "raw")
    enhanced = {row["id"]: row["enhanced"] for row in dataset(run)}
    assert enhanced["forecast-noise"]
    for line in (folder / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["audio"]:
            same = np.array_equal(decode(folder / row["audio"])[0], decode(raw / row["audio"])[0])
            assert same != enhanced[row["id"]]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_request_gives_the_same_bytes_and_they_add_up(run: Path, tmp_path: Path, form: str) -> None:
    first = export(run, tmp_path / "a", "--to", form, "--split", "by=recording,test=0.3")
    second = export(run, tmp_path / "b", "--to", form, "--split", "by=recording,test=0.3")
    assert contents(first) == contents(second)
    check_sums(first)


@pytest.mark.parametrize("form", FORMS)
def test_no_file_leaves_the_folder_whatever_an_id_says(run: Path, tmp_path: Path, form: str) -> None:
    folder = export(run, tmp_path / "deep" / "out", "--to", form, "--filter", f"id == {HOSTILE_ID!r}")
    names = contents(folder)
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-@+")
        for name in names
    )
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def test_a_path_in_place_of_sound_names_the_source(run: Path, tmp_path: Path) -> None:
    folder = export(run, tmp_path / "out", "--to", "jsonl", "--audio", "path")
    rows = [
        json.loads(x)
        for x in (folder / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    ]
    assert [(r["audio"], r["offset_s"]) for r in rows] == [(r["audio"], r["offset_s"]) for r in dataset(run)]


def test_speakers_stay_in_one_split_and_where_unknown_it_is_said(run: Path, tmp_path: Path) -> None:
    ended = speechcraft("export", run, tmp_path / "a", "--to", "jsonl", "--split", "by=speaker,test=0.4")
    assert "may be in more than one split" in ended.err
    rows = {
        part.name.partition("-")[0]: [json.loads(x) for x in part.read_text("utf-8").splitlines()]
        for part in (tmp_path / "a" / "data").iterdir()
    }
    speakers = {split: {r["speaker"] for r in found} - {None} for split, found in rows.items()}
    assert not speakers["train"] & speakers["test"]
    known = speechcraft(
        "export",
        run,
        tmp_path / "b",
        "--to",
        "jsonl",
        "--split",
        "test=0.4",
        "--filter",
        "speaker is not None",
    )
    assert "No speaker is in more than one split." in known.err


def test_what_is_dropped_is_listed_with_its_reason(run: Path, tmp_path: Path) -> None:
    folder = export(
        run, tmp_path / "out", "--to", "jsonl", "--licence", "CC0*", "--filter", "duration_s > 4.7"
    )
    dropped = [json.loads(x) for x in (folder / "dropped.jsonl").read_text("utf-8").splitlines()]
    reasons = {line["id"]: line["reason"] for line in dropped}
    assert reasons["zh-neighbour"] == reasons[HOSTILE_ID] == reasons["old-house"] == "licence"
    assert reasons[PIECE] == reasons["broken"] == "filter"
    kept = (folder / "data" / "train-00000-of-00001.jsonl").read_text("utf-8").splitlines()
    assert len(kept) + len(dropped) == len(dataset(run))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--to", "doc"], "There is no form 'doc'"),
        (["--columns", "nonsense"], "There is no column 'nonsense'. All are in docs/columns.md."),
        (["--columns", "trancript"], "Did you mean 'transcript'?"),
        (["--columns", "snr"], "Did you mean 'snr_db'?"),
        (["--filter", "snr > 20"], "Did you mean 'snr_db'?"),
        (["--filter", "id == 'nobody'"], "No clip is left to export: 9 dropped by filter."),
        (["--to", "lhotse", "--audio", "path"], "go with --audio embed only"),
        (["--audio", "none", "--sound", "raw"], "does not go with none"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    run: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    ended = speechcraft("export", run, tmp_path / "out", *options)
    assert ended.code == 2
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert export(run, tmp_path / "out", "--to", "jsonl", "--audio", "none")


@pytest.mark.parametrize("text", ["[]", "dear", "{}", '{"digest": 7}', "\xff"])
def test_a_file_that_only_has_the_name_of_one_of_ours_is_no_export(
    run: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "export.json").write_text(text, "latin-1")
    assert "is not empty and holds no export" in speechcraft("export", run, tmp_path).err
    assert contents(tmp_path) == {"export.json": text.encode("latin-1")}


def test_another_request_or_a_strange_folder_is_refused(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "out", "--to", "jsonl", "--audio", "none")
    before = contents(tmp_path / "out")
    assert "holds another export" in speechcraft("export", run, tmp_path / "out").err
    assert contents(tmp_path / "out") == before
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "letter.txt").write_text("dear")
    assert "is not empty" in speechcraft("export", run, tmp_path / "strange").err
    assert "outside of the run" in speechcraft("export", run, run / "inside").err
