"""The card is valid for the hub, its code runs, and no text of the corpus is anything but text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.export.models import noncommercial
from tests.command import dataset, example, speechcraft, write_manifest
from tests.jobs.export.conftest import HOSTILE_ID
from tests.jobs.export.files import contents


def card_of(folder: Path) -> tuple[dict[str, Any], str]:
    """The front matter and the rest."""
    _, head, body = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_front_matter_names_languages_licence_size_and_files(run: Path, tmp_path: Path) -> None:
    speechcraft("export", run, tmp_path / "out", "--split", "by=clip,test=0.3", "--audio", "none")
    head, body = card_of(tmp_path / "out")
    assert head["language"] == ["en", "zh"]
    assert head["license"] == "other"
    assert head["size_categories"] == ["n<1K"]
    assert [f["split"] for f in head["configs"][0]["data_files"]] == ["train", "test"]
    assert f"{len(dataset(run))} clips" in body
    for words in (
        "sound | decode",
        "CC0-1.0",
        "CC-BY-4.0",
        "A. Neighbour",
        "bibtex",
        "may be in more than one",
    ):
        assert words in body


def test_options_that_are_not_the_default_are_told(tmp_path: Path) -> None:
    source = write_manifest(tmp_path / "clips.jsonl", example("forecast"))
    options = ("--engine", "inline", "--set", "pitch.floor_hz=61")
    assert speechcraft("annotate", source, "--out", tmp_path / "run", *options).code == 0
    assert speechcraft("export", tmp_path / "run", tmp_path / "out", "--audio", "none").code == 0
    _, body = card_of(tmp_path / "out")
    (pitch,) = (line for line in body.splitlines() if line.startswith("| pitch |"))
    assert "floor\\_hz=61.0" in pitch
    assert "ceiling" not in pitch
    assert "thresholds=" not in body


def test_one_known_licence_is_told_to_the_hub(run: Path, tmp_path: Path) -> None:
    speechcraft("export", run, tmp_path / "out", "--licence", "cc-by-4.0", "--audio", "none")
    assert card_of(tmp_path / "out")[0]["license"] == "cc-by-4.0"


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves its files open
@pytest.mark.parametrize("form", ["hf", "parquet", "webdataset", "jsonl", "lhotse", "paper"])
def test_the_code_of_the_card_loads_the_dataset(
    run: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    speechcraft("export", run, tmp_path / "out", "--to", form)
    (code,) = re.findall(r"```python\n(.*?)```", card_of(tmp_path / "out")[1], re.DOTALL)
    names: dict[str, Any] = {"FOLDER": str(tmp_path / "out")}
    exec(code, names)  # noqa: S102 - the card's own words
    data = names["data"]["train"] if form == "hf" else names["data"]
    found = data.num_rows if form in ("hf", "parquet") else len(list(data))
    captioned = sum(row["description"] is not None for row in dataset(run))
    sounding = sum(row["id"] != "broken" for row in dataset(run))
    assert found == {"paper": captioned, "lhotse": sounding}.get(form, len(dataset(run)))


def test_hostile_text_breaks_neither_yaml_nor_markdown(run: Path, tmp_path: Path) -> None:
    speechcraft("export", run, tmp_path / "out", "--filter", f"id == {HOSTILE_ID!r}", "--audio", "none")
    head, body = card_of(tmp_path / "out")
    assert head["license"] == "other"
    assert "<script>" not in body
    assert "\u202e" not in body
    lines = [line for line in body.splitlines() if "alert" in line]
    assert len(lines) == 2  # the filter, and the licence
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3, 5]
    assert not [line for line in body.splitlines() if line.startswith("---")]


def test_accuracy_is_shown_where_it_was_measured(run: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"id": "forecast", "gender": "male", "text": "the weather"}) + "\n")
    ended = speechcraft("evaluate", run, "--labels", labels, "--json")
    (tmp_path / "report.json").write_text(ended.out)
    done = speechcraft(
        "export", run, tmp_path / "out", "--accuracy", tmp_path / "report.json", "--audio", "none"
    )
    assert done.code == 0, done.err
    figures = [r["name"] for table in json.loads(ended.out)["tables"] for r in table["results"]]
    assert "Not measured" not in card_of(tmp_path / "out")[1]
    assert all(name.replace("_", "\\_") in card_of(tmp_path / "out")[1] for name in figures)
    refused = speechcraft("export", run, tmp_path / "b", "--accuracy", labels)
    assert refused.code == 2
    assert "is not what `speechcraft evaluate --json` printed" in refused.err
    assert not (tmp_path / "b").exists()


def test_a_non_commercial_model_reaches_all_that_reads_it() -> None:
    def way(family: str, module: str, commercial: bool = True) -> dict[str, Any]:
        return {
            "module": f"annotators.{family}.{module}",
            "models": [{"name": "m", "commercial": commercial}],
        }

    record = {
        "annotators": {
            "sound": [way("sound", "decode")],
            "speaker": [way("speaker", "given", commercial=False)],
            "topic": [way("topic", "keywords")],
            "labels": [way("labels", "thresholds")],
            "caption": [way("caption", "realiser")],
        }
    }
    found = noncommercial(record)
    assert found["gender"] == "speaker by m"
    assert {"pitch_label", "description"} <= found.keys()
    assert not {"topic", "sound_hash"} & found.keys()
    record["annotators"]["speaker"] = [way("speaker", "given")]
    assert not noncommercial(record)


def test_commercial_only_leaves_out_columns_and_says_so(run: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(run, tmp_path / "run")
    job = tmp_path / "run" / "job.yaml"
    job.write_text(job.read_text("utf-8").replace("commercial: true", "commercial: false"), "utf-8")
    done = speechcraft("export", tmp_path / "run", tmp_path / "out", "--to", "jsonl", "--commercial-only")
    assert done.code == 0, done.err
    assert "left out:" in done.out
    lines = contents(tmp_path / "out")["data/train-00000-of-00001.jsonl"].decode().splitlines()
    assert not {"words", "enhanced", "description"} & json.loads(lines[0]).keys()
    assert "duration_s" in json.loads(lines[0])
    assert "non-commercial licences: `" in card_of(tmp_path / "out")[1]
