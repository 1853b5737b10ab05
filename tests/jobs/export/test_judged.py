"""A card says of each label, group by group, whose thresholds it was given by, and what each column is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

import annotators
from jobs.export.judged import CORPUS, GIVEN, REFERENCE, Groups, groups_of, judged, meaning, sentence
from jobs.export.meanings import OWN, meanings
from jobs.export.request import Request
from jobs.jobfile import build_job, read_profile
from pipeline.schema import CLIP_COLUMNS, columns_of
from pipeline.side_by_side import dataset_schema
from tests.command import dataset, speechcraft
from tests.jobs.export.test_card import card_of

LABELS = ("pitch_label", "energy_label", "speed_label")


def record(thresholds: object, module: str = "annotators.labels.thresholds") -> dict[str, Any]:
    return {"annotators": {"labels": [{"module": module, "options": {"thresholds": thresholds}}]}}


def bound(origin: str | None, n: int = 25) -> dict[str, object]:
    told = {} if origin is None else {"n": n, "origin": origin}
    return {"low": 110.0, "high": 140.0, **told}


PITCH = {"female": bound(REFERENCE, 3), "male": bound(CORPUS), "all": bound(None)}


def test_whose_thresholds_a_label_has_is_told_group_by_group() -> None:
    groups = Groups({("pitch_label", g): n for g, n in (("female", 3), ("male", 25), ("all", 4))})
    found = judged(record({"pitch_hz": PITCH}), groups + Groups({("energy_label", "all"): 32}))
    told = {(j.label, j.among): (j.origin, j.clips) for j in found}
    assert told == {
        ("pitch_label", "men"): (CORPUS, 25),
        ("pitch_label", "all voices"): (GIVEN, 4),
        ("pitch_label", "women"): (REFERENCE, 3),
        ("energy_label", "all voices"): (REFERENCE, 32),
    }
    text = sentence(found)
    assert "taken from this corpus, `pitch_label` (men);" in text
    assert "what is usual, `pitch_label` (women), `energy_label` (all voices);" in text
    assert "that the run was told, `pitch_label` (all voices)." in text
    assert "among women by thresholds of the built-in reference" in meaning("pitch_label", found)
    assert meaning("energy_label", found) == "by thresholds of the built-in reference"


@pytest.mark.parametrize(("origin", "words"), [(CORPUS, "this corpus."), (REFERENCE, "too few clips")])
def test_one_origin_of_all_is_one_short_sentence(origin: str, words: str) -> None:
    found = judged(record({"energy_dbfs": {"all": bound(origin)}}), Groups({("energy_label", "all"): 9}))
    assert words in sentence(found)
    assert "energy" not in sentence(found)


def test_thresholds_of_a_file_are_given_whatever_corpus_it_says_they_are_of(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"energy_dbfs": {"all": bound(CORPUS)}}))
    groups = Groups({("energy_label", "all"): 9})
    assert [j.origin for j in judged(record(str(path)), groups)] == [GIVEN]
    path.unlink()
    assert judged(record(str(path)), groups) == []


def test_labels_by_another_way_say_nothing_of_thresholds() -> None:
    assert judged(record({}, "mine.labels"), Groups({("energy_label", "all"): 9})) == []


def test_every_label_that_is_known_belongs_to_a_group() -> None:
    rows: dict[str, list[Any]] = {
        "pitch_label": ["low", None, "high"],
        "pitch_label_basis": ["male", None, "all"],
        "energy_label": ["low", "high", None],
        "speed_label": ["slow", "fast", "fast"],
        "characters_per_s": [None, 5.0, None],
        "language": ["en", "zh", None],
    }
    assert groups_of(rows, LABELS) == {
        ("pitch_label", "male"): 1,
        ("pitch_label", "all"): 1,
        ("energy_label", "all"): 2,
        ("speed_label", "en"): 1,
        ("speed_label", "characters"): 1,
        ("speed_label", "syllables"): 1,
    }
    assert not groups_of(rows, ())


def test_the_card_of_a_small_corpus_says_that_it_was_judged_by_the_reference(
    run: Path, tmp_path: Path
) -> None:
    speechcraft("export", run, tmp_path / "out", "--audio", "none")
    _, body = card_of(tmp_path / "out")
    thresholds = body.split("## Thresholds of labels")[1].split("##")[0]
    rows = [line.split(" | ") for line in thresholds.splitlines() if "\\_label" in line]
    assert {row[5] for row in rows} == {"the built-in reference"}
    assert "taken from this corpus" not in body
    for label in LABELS:
        known = sum(row[label] is not None for row in dataset(run))
        assert sum(int(row[6].rstrip(" |")) for row in rows if label.split("_")[0] in row[0]) == known


def test_the_card_goes_by_the_thresholds_that_the_rows_were_made_by(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run" / "job.yaml"
    job = yaml.safe_load(path.read_text("utf-8"))
    thresholds = job["annotators"]["labels"][0]["options"]["thresholds"]
    thresholds["energy_dbfs"]["all"] |= {"origin": "corpus", "n": 21, "low": -31.5}
    path.write_text(yaml.safe_dump(job), "utf-8")
    speechcraft("export", tmp_path / "run", tmp_path / "out", "--audio", "none")
    _, body = card_of(tmp_path / "out")
    assert "| energy\\_label | all voices | -31.5 |" in body
    assert "this corpus (21 clips)" in body
    assert "to thresholds taken from this corpus, `energy_label` (all voices);" in body


def test_no_column_of_any_card_is_without_a_meaning() -> None:
    assert set(CLIP_COLUMNS) - {"audio"} == set(OWN)
    rows = {annotators.load(f, names[0]).row for f, names in annotators.ways().items()}
    assert [(r.__name__, c.name) for r in rows for c in columns_of(r) if not c.column.doc.strip()] == []
    whole = dataset_schema(build_job(read_profile("embedded")))
    schema = whole.remove(whole.get_field_index("audio"))
    for audio in ("embed", "path", "none"):
        for form in ("hf", "parquet", "webdataset", "jsonl", "lhotse", "paper"):
            told = meanings(schema, Request(to=form, audio=audio), ())
            assert [name for name, _, _, doc in told if not doc.strip()] == []


@pytest.mark.parametrize("audio", ["embed", "path", "none"])
def test_the_card_tells_the_columns_that_there_are(run: Path, tmp_path: Path, audio: str) -> None:
    speechcraft("export", run, tmp_path / "out", "--to", "parquet", "--audio", audio)
    _, body = card_of(tmp_path / "out")
    table = body.split("## Columns")[1].split("##")[0].replace("\\", "").splitlines()
    told = [line.split(" | ")[0].strip("| ") for line in table if line.startswith("| ")][2:]
    file = next((tmp_path / "out" / "data").glob("*.parquet"))
    assert told == pq.read_schema(file).names
