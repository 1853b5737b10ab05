from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from pipeline.source.huggingface import HuggingFaceSource

datasets.disable_progress_bars()


def dataset(start: int, n_rows: int) -> Any:
    sounds = [{"bytes": b"RIFF%d" % i, "path": f"s{i}.wav"} for i in range(start, start + n_rows)]
    kind = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
    table = pa.table(
        {"audio": pa.array(sounds, kind), "gender": pa.array([i % 2 for i in range(n_rows)], pa.int64())}
    )
    features = datasets.Features(
        {"audio": datasets.Audio(decode=False), "gender": datasets.ClassLabel(names=["male", "female"])}
    )
    return datasets.Dataset(table, info=datasets.DatasetInfo(features=features))


def sounds_of(source: HuggingFaceSource) -> list[bytes]:
    """The bytes each part means, read by `datasets` itself or as a whole Parquet file."""
    found = []
    for item in source:
        _, number, column = (item.audio.part or "").split(":", 2)
        if item.audio.url.endswith(".parquet"):
            value = pq.read_table(item.audio.url).column(column)[int(number)].as_py()
        else:
            value = datasets.Dataset.from_file(item.audio.url).with_format("arrow")[int(number)]
            value = value.column(column)[0].as_py()
        found.append(value["bytes"])
    return found


def test_a_saved_dataset_is_read_file_by_file_and_its_parts_lead_to_the_bytes(tmp_path: Path) -> None:
    dataset(0, 5).save_to_disk(tmp_path / "d", num_shards=2)
    source = HuggingFaceSource(str(tmp_path / "d"))
    assert sounds_of(source) == [b"RIFF%d" % i for i in range(5)]
    assert [i.id for i in source] == [f"s{i}" for i in range(5)]
    assert [i.given.gender for i in source][:2] == ["male", "female"]


def test_a_saved_dataset_of_splits_is_read_whole_or_by_split(tmp_path: Path) -> None:
    splits = {"train": dataset(0, 2), "test": dataset(2, 1)}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "d")
    assert len(list(HuggingFaceSource(str(tmp_path / "d")))) == 3
    assert sounds_of(HuggingFaceSource(str(tmp_path / "d"), split="test")) == [b"RIFF2"]
    with pytest.raises(SourceError, match="train, test"):
        HuggingFaceSource(str(tmp_path / "d"), split="dev")


def test_a_folder_of_parquet_files_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for split, start in (("train", 0), ("test", 2)):
        dataset(start, 2).to_parquet(tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    assert sounds_of(HuggingFaceSource(str(tmp_path))) == [b"RIFF2", b"RIFF3", b"RIFF0", b"RIFF1"]
    assert sounds_of(HuggingFaceSource(str(tmp_path), split="train")) == [b"RIFF0", b"RIFF1"]


def test_a_broken_file_of_many_is_one_problem(tmp_path: Path) -> None:
    dataset(0, 2).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"nonsense")
    assert [i.problem.code if i.problem else None for i in HuggingFaceSource(str(tmp_path))] == [
        None,
        None,
        "bad_file",
    ]


def test_the_hub_is_asked_only_for_what_the_cache_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(0, 3).to_parquet(tmp_path / "p.parquet")
    cached = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "p.parquet"), cache_dir=str(tmp_path / "cache")
    )
    asked: list[tuple[object, ...]] = []

    def load(name: str, config: str | None, split: str | None) -> Any:
        offline = datasets.config.HF_HUB_OFFLINE
        asked.append((name, config, split, offline))
        if offline and config == "new":
            raise ConnectionError("Not in the cache.")
        if config == "none":
            raise ConnectionError("No such dataset.")
        return cached[split] if split else cached

    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    assert sounds_of(HuggingFaceSource("org/name")) == [b"RIFF0", b"RIFF1", b"RIFF2"]
    assert len(list(HuggingFaceSource("org/name::train"))) == 3
    assert len(list(HuggingFaceSource("org/name:new:train"))) == 3
    assert asked == [
        ("org/name", None, None, True),
        ("org/name", None, "train", True),
        ("org/name", "new", "train", True),
        ("org/name", "new", "train", False),
    ]
    with pytest.raises(SourceError, match="no such dataset"):
        HuggingFaceSource("org/name:none")
    with pytest.raises(SourceError, match="piece"):
        HuggingFaceSource("org/name::train[:10]")


def test_notes_that_name_files_elsewhere_lead_nowhere(tmp_path: Path) -> None:
    dataset(0, 1).to_parquet(tmp_path / "secret.arrow")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "dataset_info.json").write_text("{}")
    (tmp_path / "d" / "state.json").write_text(json.dumps({"_data_files": [{"filename": "../secret.arrow"}]}))
    with pytest.raises(SourceError, match="cannot be read"):
        HuggingFaceSource(str(tmp_path / "d"))


@pytest.mark.parametrize("state", ["{}", "[]", "{broken", '{"_indices_files": [{"filename": "x"}]}'])
def test_notes_that_name_no_whole_files_are_a_source_error(tmp_path: Path, state: str) -> None:
    (tmp_path / "state.json").write_text(state)
    with pytest.raises(SourceError):
        HuggingFaceSource(str(tmp_path))
