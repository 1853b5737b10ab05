"""What was said in review arrives wherever the dataset goes next."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from tests.command import speechcraft
from tests.jobs.review.said import say


def test_a_correction_arrives_in_the_next_export(folder: Path) -> None:
    say(folder, "station", "emotion", "correct", "sad")
    for out in ("first", "second"):
        ended = speechcraft(
            "export", folder / "run", folder / out, "--to", "parquet", "--audio", "none", "--json"
        )
        assert ended.code == 0, ended.err
        assert ("brought into the dataset" in ended.err) == (out == "first")
        rows = [r for p in (folder / out).rglob("*.parquet") for r in pq.ParquetFile(p).read().to_pylist()]
        (row,) = [row for row in rows if row["id"] == "station"]
        assert (row["emotion"], row["emotion_source"]) == ("sad", "review")
        assert row["review"] == [{"attribute": "emotion", "verdict": "corrected", "reviewers": 1}]


def test_evaluate_tells_how_far_people_agree_with_the_run(folder: Path) -> None:
    assert speechcraft("evaluate", folder / "run").code == 2
    say(folder, "station", "gender", "accept")
    say(folder, "recipe", "gender", "correct", "female")
    say(folder, "recipe", "gender", "accept", reviewer="Bob")
    found = speechcraft("evaluate", folder / "run", "--json").json["agreement"]
    assert [(a["first"], a["second"], a["n"], a["agreed_percent"]) for a in found] == [
        ("run", "reviewer 1", 2, 50.0),
        ("run", "reviewer 2", 1, 100.0),
        ("reviewer 1", "reviewer 2", 1, 0.0),
    ]
    ended = speechcraft("evaluate", folder / "run")
    assert "Agreement with reviewers" in ended.out
    assert "Bob" not in ended.out
