"""An export that is annotated again: what was given stays given, and no guess becomes a truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.untaken import sentences
from pipeline.clip import Given
from pipeline.errors import SourceError
from pipeline.source import open_source
from tests.command import dataset, speechcraft

COLUMNS = {
    "text": ("transcript", "transcript_source"),
    "language": ("language", "language_source"),
    "gender": ("gender", "gender_source"),
    "emotion": ("emotion", "emotion_source"),
}
"""Fields of what is given, with the column an export has of each, and that which says who found it."""


@pytest.fixture(scope="module")
def rows(run: Path) -> list[dict[str, Any]]:
    """Some values of theirs are given, some were found."""
    rows = dataset(run)
    sources = {row[by] for row in rows for _, by in COLUMNS.values() if row[by] is not None}
    assert {"given", "small"} <= sources
    return rows


def truths(row: dict[str, Any]) -> dict[str, Any]:
    return {field: row[name] if row[by] == "given" else None for field, (name, by) in COLUMNS.items()}


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("hf", ""),
        ("parquet", ""),
        ("jsonl", "*/*.jsonl"),
        ("webdataset", "*/*.tar"),
        ("lhotse", "cuts/*.jsonl.gz"),
    ],
)
def test_of_an_export_only_what_was_given_is_given(
    run: Path, rows: list[dict[str, Any]], tmp_path: Path, form: str, files: str
) -> None:
    out = tmp_path / "export"
    assert speechcraft("export", run, out, "--to", form).code == 0
    (path,) = out.glob(files) if files else [out]
    options = {"audio_root": str(out)} if form in ("jsonl", "lhotse") else {}
    source = open_source(str(path), options=options)
    items = list(source)
    if form == "lhotse":  # a cut is of a recording: there is none of a clip without sound
        rows = [row for row in rows if row["id"] != "broken"]
    assert [{name: getattr(i.given, name) for name in COLUMNS} for i in items] == [truths(r) for r in rows]
    assert {item.given.description for item in items} == {None}
    assert source.untaken is not None
    (told,) = sentences(source.untaken)
    assert told.startswith("The source says that annotators found these, so they do not count as given: ")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("jsonl", r"give 'data/.*\.jsonl' in it as the source, with --source-option audio_root=EXPORT\.$"),
        ("webdataset", r"give 'data/.*\.tar' in it as the source\.$"),
        (
            "lhotse",
            r"give 'cuts/.*\.jsonl\.gz' in it as the source, with --source-option audio_root=EXPORT\.$",
        ),
        ("paper", r"annotate what it was made of\.$"),
    ],
)
def test_an_export_that_is_no_source_as_a_whole_says_what_in_it_is(
    run: Path, tmp_path: Path, form: str, said: str
) -> None:
    out = tmp_path / "export"
    assert speechcraft("export", run, out, "--to", form).code == 0
    with pytest.raises(SourceError, match=said):
        list(open_source(str(out)))


def test_a_run_as_a_source_says_where_its_dataset_is(run: Path) -> None:
    with pytest.raises(SourceError, match=r"is a run: give the folder 'dataset' in it as the source\.$"):
        list(open_source(str(run)))


def test_the_dataset_of_a_run_as_a_source_is_read_the_same(run: Path, rows: list[dict[str, Any]]) -> None:
    given: list[Given] = [item.given for item in open_source(str(run / "dataset"))]
    assert [{name: getattr(g, name) for name in COLUMNS} for g in given] == [truths(r) for r in rows]
