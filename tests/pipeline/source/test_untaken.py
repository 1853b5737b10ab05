"""A label of a source is taken as given, or told: never dropped in silence, never a guess made a truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import annotators
from jobs.untaken import sentences
from pipeline.clip import Given
from pipeline.source import open_source
from pipeline.source.base import Source
from pipeline.source.untaken import FINDERS

GUESSED = {
    "transcript": "hello",
    "transcript_source": "pocketsphinx",
    "gender": "female",
    "gender_source": "small",
    "age_years": 31.0,
    "age_source": "given",
    "emotion": "sad",
    "emotion_source": "review",
    "language": "en",
    "language_source": None,
}


def manifest(folder: Path, *rows: Mapping[str, object]) -> Source:
    path = folder / "clips.jsonl"
    path.write_text("".join(json.dumps({"audio": f"{i}.wav", **row}) + "\n" for i, row in enumerate(rows)))
    return open_source(str(path))


def given(source: Source) -> list[Given]:
    return [item.given for item in source]


def told(source: Source) -> list[str]:
    list(source)
    assert source.untaken is not None
    return sentences(source.untaken)


def test_labels_that_cannot_be_understood_are_counted_with_examples_and_told_once(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"gender": "woman?", "age": "abc"},
        {"gender": 1, "age": 200},
        {"gender": "f", "age": "twenties"},
    ]
    source = manifest(tmp_path, *rows)
    assert given(source)[2] == Given(gender="female", age_years=25.0)
    for _ in range(2):  # each time it is read anew
        assert told(source) == [
            "The age_years of 2 clips is not understood and counts as not given ('abc', '200'): "
            "docs/sources.md has what is.",
            "The gender of 2 clips is not understood and counts as not given ('woman?', '1'): "
            "docs/sources.md has what is.",
        ]


def test_a_language_that_nobody_can_read_is_told_with_what_becomes_of_it(tmp_path: Path) -> None:
    languages = ["en", "Mandarin", "de-AT", "Elvish", "Elvish", "unknown", "und", ""]
    source = manifest(tmp_path, *({"language": language} for language in languages))
    assert told(source) == [
        "The language of 2 clips is not understood and counts as not given ('Elvish'), so it is told from "
        "the clip, and null where nothing tells it: docs/sources.md has what is."
    ]


@pytest.mark.parametrize("nothing", ["", " ", "unknown", "Other", "n/a", None, float("nan"), "female"])
def test_a_label_that_says_nothing_or_is_taken_is_not_told(tmp_path: Path, nothing: object) -> None:
    assert told(manifest(tmp_path, {"gender": nothing})) == []


def test_examples_are_few_and_cannot_steer_a_terminal(tmp_path: Path) -> None:
    (sentence,) = told(manifest(tmp_path, *({"gender": f"\x1b[31m{i}" * 99} for i in range(50))))
    assert "of 50 clips" in sentence
    assert sentence.isprintable()
    assert len(sentence) < 500


def test_what_an_annotator_found_is_not_given_and_what_is_given_or_reviewed_is(tmp_path: Path) -> None:
    source = manifest(tmp_path, GUESSED, {"text": "mine", **GUESSED})
    assert given(source) == [
        Given(age_years=31.0, emotion="sad", language="en"),
        Given(text="mine", age_years=31.0, emotion="sad", language="en"),
    ]
    assert told(source) == [
        "The source says that annotators found these, so they do not count as given: gender of 2 clips, "
        "text of 2 clips."
    ]


@pytest.mark.parametrize(
    "by",
    [
        *("librivox", "subtitles", "expert", "self-reported", "original", "ground truth"),
        *("manual transcription", "pocket sphinx", 1, True),
    ],
)
def test_what_somebody_elses_manifest_says_of_where_a_label_is_from_leaves_it_a_truth(
    tmp_path: Path, by: object
) -> None:
    row = {"transcript": "hello", "gender": "f", "status": "done"}
    tells = {"transcript_source": by, "gender_source": by}
    source = manifest(tmp_path, row | tells)
    assert given(source) == [Given(text="hello", gender="female")]
    assert told(source) == []


@pytest.mark.parametrize(
    ("beside", "text"),
    [
        ({}, "hello"),
        ({"status": "ok"}, "hello"),
        ({"status": "ok", "skipped": None}, None),
        ({"language_source": "script"}, "hello"),
        ({"language_source": "script", "gender_source": "given"}, None),
        ({"language_source": "census", "gender_source": "self-reported"}, "hello"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_in_a_dataset_of_ours_an_annotator_of_any_name_makes_no_truth(
    tmp_path: Path, beside: dict[str, object], text: str | None, form: str
) -> None:
    row = {"audio": "0.wav", "transcript": "hello", "transcript_source": "my.asr", **beside}
    if form == "jsonl":
        source = manifest(tmp_path, row)
    else:
        columns = {name: pa.array([value], pa.string()) for name, value in row.items()}
        pq.write_table(pa.table(columns), tmp_path / "clips.parquet")
        source = open_source(str(tmp_path / "clips.parquet"))
    assert [found.text for found in given(source)] == [text]


@pytest.mark.parametrize("by", ["whisper", "faster_whisper", "pocketsphinx", "Whisper: large-v3"])
def test_an_annotator_of_that_label_is_known_by_its_name_wherever_it_stands(tmp_path: Path, by: str) -> None:
    assert given(manifest(tmp_path, {"transcript": "hello", "transcript_source": by})) == [Given()]


def test_every_way_of_a_label_is_known_as_a_finder() -> None:
    family = {"gender_source": "speaker", "age_source": "speaker"}
    for tells, names in FINDERS.items():
        ways = annotators.ways()[family.get(tells, tells.removesuffix("_source"))]
        assert set(ways) - {"given"} <= names


def test_a_table_says_who_found_a_label_as_a_manifest_does(tmp_path: Path) -> None:
    row = {"audio": {"bytes": b"RIFF", "path": "0.wav"}, **GUESSED}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "clips.parquet")
    source = open_source(str(tmp_path / "clips.parquet"))
    assert given(source) == [Given(age_years=31.0, emotion="sad", language="en")]
    assert source.ignored_columns == ()
    assert len(told(source)) == 1


def test_of_several_supervisions_one_that_was_recognised_makes_the_whole_text_recognised(
    tmp_path: Path,
) -> None:
    said = [{"text": "one", "custom": {"transcript_source": by}} for by in ("given", "whisper")]
    recording = {"sources": [{"type": "file", "channels": [0], "source": "r.wav"}], "duration": 2.0}
    for n, text in ((1, "one"), (2, None)):
        cut = {"id": "c", "type": "MonoCut", "start": 0, "duration": 2.0, "channel": 0}
        line = cut | {"recording": recording, "supervisions": said[:n]}
        (tmp_path / "cuts.jsonl").write_text(json.dumps(line) + "\n")
        assert given(open_source(str(tmp_path / "cuts.jsonl"))) == [Given(text=text)]
