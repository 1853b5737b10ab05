"""What was said in review arrives wherever the dataset goes next."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from tests.command import CLIPS, speechcraft
from tests.endpoint.fake import fake
from tests.faulty.folder import Folder
from tests.jobs.review.said import rows, say


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


def test_an_unfinished_run_gives_no_export_and_keeps_the_dataset_it_has(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.annotate().code == 0
    say(tmp_path, "brother", "topic", "correct", "a brother")
    assert folder.retry("--clip", "red-book", "--all", "--mark-only").code == 0
    before = rows(tmp_path)
    ended = speechcraft("export", folder.run, tmp_path / "out")
    assert ended.code == 2
    assert "1 of the 3 shards" in ended.err
    assert f"`speechcraft retry {folder.run}`" in ended.err
    assert rows(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert folder.retry().code == 0
    assert speechcraft("export", folder.run, tmp_path / "out", "--audio", "none").code == 0
    assert rows(tmp_path)["brother"]["topic"] == "a brother"
    assert {row["status"] for row in rows(tmp_path).values()} == {"ok"}


def test_where_captions_cannot_be_written_again_an_export_says_so_and_writes_none(
    folder: Path, again: Callable[..., dict[str, int]], tmp_path: Path
) -> None:
    def export() -> tuple[int, str]:
        """In a process of its own: one that knows the endpoint does not look for it again."""
        more = ("--to", "parquet", "--audio", "none")
        command = [sys.executable, "-m", "jobs.cli", "export", folder / "run", folder / "out", *more]
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=CLIPS.parents[1])
        return ended.returncode, ended.stderr

    with fake(tmp_path) as endpoint:
        again(folder, "--set", f"caption.endpoint={endpoint.url}")
        say(folder, "station", "emotion", "correct", "sad")
        before = rows(folder)
        endpoint.kill()
        code, told = export()
        assert code == 2
        assert "cannot be brought into its dataset here" in told
        assert not (folder / "out").exists()
        assert rows(folder) == before
        endpoint.start()
        endpoint.follow()
        code, told = export()
        assert code == 0, told
        assert len({seen.clip for seen in endpoint.seen}) == 1
    after = rows(folder)
    assert after["station"]["emotion"] == "sad"
    assert after["station"]["description"] != before["station"]["description"]
