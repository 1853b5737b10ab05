"""A clip is read at a glance on a terminal of 80 columns; a reader that ends early ends the command too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import example, speechcraft, write_manifest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the embedded profile over two clips."""
    folder = tmp_path_factory.mktemp("show")
    source = write_manifest(folder / "clips.jsonl", example("forecast"), example("zh-match"))
    ended = speechcraft("annotate", source, "--out", folder / "run", "--engine", "inline")
    assert ended.code == 0, ended.err
    return folder / "run"


def test_at_80_columns_each_value_stands_once_beside_its_name_and_nulls_are_counted(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    facts = speechcraft("show", run, "forecast", "--json").json
    lines = speechcraft("show", run, "forecast").out.splitlines()
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if line.strip()]
    filled = {c["column"] for c in facts["columns"] if c["value"] is not None}
    assert filled <= set(names)
    sources = {c["from"] for c in facts["columns"]}
    for source in sources:
        columns = [c["value"] for c in facts["columns"] if c["from"] == source]
        heading = next(line for line in lines if line.split()[:1] == [source])
        if nulls := columns.count(None):
            assert f"{nulls} of {len(columns)} columns are null" in heading
    assert len(lines) < len(filled) + len(sources) + 50  # of 237 that were


def test_the_tables_of_a_run_show_names_whole_at_80_columns(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "…" not in speechcraft("status", run).out
    assert "…" not in speechcraft("show", run).out
    tried = ("--annotator", "transcript", "--clip", "forecast", "--all", "--engine", "inline")
    ended = speechcraft("retry", run, *tried).out
    assert "…" not in ended
    line = next(line for line in ended.splitlines() if line.split()[:1] == ["transcript-pocketsphinx"])
    assert re.search(r"\d % +\d\.\d\d$", line.rstrip())


def test_of_a_run_a_few_clips_from_the_first_to_the_last_are_shown_and_how_to_see_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = [example("forecast", id=f"clip-{i}") for i in range(9)] + [example("zh-match")]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    speechcraft("annotate", source, "--out", tmp_path / "run", "--engine", "inline", "--shard-size", 3)
    ids = [row["id"] for row in speechcraft("show", tmp_path / "run", "--json").json]
    assert ids == ["clip-0", "clip-3", "clip-6", "zh-match"]
    said = speechcraft("show", tmp_path / "run").out
    assert [line for line in said.splitlines() if line in ids] == ids
    assert len(said.splitlines()) < 60
    assert max(map(len, said.splitlines())) <= 80
    assert "4 of 10 clips, from the first to the last. More: --rows 10" in " ".join(said.split())
    rows = speechcraft("show", tmp_path / "run", "--rows", 99, "--json").json
    assert [row["id"] for row in rows] == [str(line["id"]) for line in lines]


def test_a_table_says_of_how_many_clips_it_shows_and_cuts_what_fills_pages(tmp_path: Path) -> None:
    clip = {**example("forecast"), "text": "One, two and three. " * 1000}
    source = write_manifest(tmp_path / "clips.jsonl", clip, example("zh-match"))
    speechcraft("annotate", source, "--out", tmp_path / "run", "--engine", "inline")
    shown = speechcraft("show", tmp_path / "run", "--rows", "1").out
    assert "1 of 2 clips" in shown
    assert f"{tmp_path / 'run'}/dataset" in shown.replace("\n", "")
    assert shown.count("One, two") < 100
    assert speechcraft("show", tmp_path / "run", "forecast").out.count("One, two") < 200


@pytest.mark.parametrize("command", [["annotators"], ["annotators", "--json"], ["--help"]], ids=" ".join)
def test_a_reader_that_ends_early_ends_the_command_without_a_word(command: list[str]) -> None:
    """With the exit code that a shell gives to what SIGPIPE ends."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "jobs.cli", *command],
            cwd=ROOT, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (141, "")
