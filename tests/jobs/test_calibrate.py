"""Thresholds are taken anew when asked for; until the next annotate the rows stay as they were made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.lease import held
from pipeline.storage import Store
from tests.command import dataset, example, sidecars, speechcraft, write_manifest

NAMES = ("brother", "red-book", "meeting", "forecast")
JOB = "annotators: {sound: decode, pitch: dio, energy: levels, labels: {use: thresholds, min_clips: 1}}\n"


@pytest.fixture
def command(tmp_path: Path) -> tuple[object, ...]:
    """A command over four clips, the thresholds of whose run are those of the first two."""
    source = write_manifest(tmp_path / "clips.jsonl", *map(example, NAMES))
    (tmp_path / "job.yaml").write_text(JOB)
    where = ("--job", tmp_path / "job.yaml", "--out", tmp_path / "run")
    said = ("annotate", source, *where, "--engine", "inline", "--shard-size", 2)
    assert speechcraft(*said, "--limit", 2).code == 0
    assert speechcraft(*said).code == 0
    return said


@pytest.fixture
def run(command: tuple[object, ...], tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_a_person_reads_a_table_and_what_the_next_annotate_does(
    run: Path, command: tuple[object, ...]
) -> None:
    first = speechcraft("calibrate", run)
    assert first.code == 0
    assert "{" not in first.out
    lines = [line for line in first.out.splitlines() if line.split()[:1] == ["pitch_hz"]]
    assert lines[0].split()[1] == "all"
    assert lines[0].split()[4:6] == ["4", "corpus"]
    assert " to " in lines[0]  # what it was before
    assert "it writes labels anew" in first.out
    assert set(speechcraft(*command, "--json").json["annotators"]) == {"labels-thresholds"}
    again = speechcraft("calibrate", run)
    assert "there is nothing to annotate again" in again.out
    assert not [line for line in again.out.splitlines() if "pitch_hz" in line and " to " in line]
    assert speechcraft(*command, "--json").json["annotators"] == {}


def test_between_calibrate_and_annotate_clips_are_forgotten_and_failed_rows_retried_by_the_old_thresholds(
    run: Path,
) -> None:
    before = {row["id"]: row for row in dataset(run)}
    assert speechcraft("calibrate", run).code == 0
    ended = speechcraft("forget", run, "--clip", "brother", "--yes")
    assert ended.code == 0, ended.err
    assert {row["id"]: row for row in dataset(run)} == {k: v for k, v in before.items() if k != "brother"}
    kept = sidecars(run)
    ended = speechcraft("retry", run, "--clip", "forecast", "--all", "--engine", "inline")
    assert ended.code == 0, ended.err
    assert sidecars(run).keys() == kept.keys()
    assert {row["id"]: row for row in dataset(run)} == {k: v for k, v in before.items() if k != "brother"}


def test_a_run_that_somebody_is_at_is_not_calibrated(run: Path) -> None:
    frozen = (run / "calibration" / "labels.json").read_bytes()
    with held(Store(str(run))):
        ended = speechcraft("calibrate", run)
    assert ended.code == 2
    assert "Another run is at work in" in ended.err
    assert (run / "calibration" / "labels.json").read_bytes() == frozen


def test_thresholds_of_a_file_are_not_taken_from_the_corpus(tmp_path: Path) -> None:
    source = write_manifest(tmp_path / "clips.jsonl", *map(example, NAMES[:2]))
    (tmp_path / "own.yaml").write_text("energy_dbfs: {all: {low: -40, high: -10}}\n")
    (tmp_path / "job.yaml").write_text(JOB)
    run = tmp_path / "run"
    own = ("--set", f"labels.thresholds={tmp_path / 'own.yaml'}")
    ended = speechcraft(
        "annotate", source, "--job", tmp_path / "job.yaml", "--out", run, "--engine", "inline", *own
    )
    assert ended.code == 0, ended.err
    assert "takes its thresholds from the corpus" in speechcraft("calibrate", run).err
    assert speechcraft("forget", run, "--clip", "brother", "--yes").code == 0
