"""`speechcraft captions` over a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import dataset, example, speechcraft, write_manifest


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips with captions and one without sound."""
    folder = tmp_path_factory.mktemp("captions")
    lines = [example("brother"), example("zh-neighbour"), example("later", id="gone", audio="gone.wav")]
    source = write_manifest(folder / "clips.jsonl", *lines)
    ended = speechcraft("annotate", source, "--out", folder / "run", "--engine", "inline")
    assert ended.code == 0, ended.err
    return folder / "run"


def test_every_clip_of_the_run_is_counted_once(run: Path) -> None:
    found = speechcraft("captions", run, "--json").json
    assert (found["clips"], found["without"]) == (3, 1)
    rows = [row for row in dataset(run) if row["description"]]
    assert {k: v["clips"] for k, v in found["languages"].items()} == {"en": 1, "zh": 1}
    assert sum(sum(f["sources"].values()) for f in found["languages"].values()) == len(rows)
    assert found["languages"]["en"]["sources"] == {"realiser": 1}


def test_people_get_tables(run: Path) -> None:
    ended = speechcraft("captions", run)
    assert ended.code == 0
    for word in ("omission", "distortion", "distinct-2", "near duplicates", "realiser", "English", "Chinese"):
        assert word in ended.out


def test_a_folder_that_is_no_run_is_refused_in_a_sentence(tmp_path: Path) -> None:
    ended = speechcraft("captions", tmp_path)
    assert ended.code == 2
    assert "holds no run" in ended.err
