"""One small run, with clips that fail and texts that attack, and its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import example, speechcraft, write_manifest
from tests.once import copy_of

ATTACK = (
    "<script>window.hurt=1</script><img src=x onerror=window.hurt=2>\"'&amp;\u202edne{{7*7}}</svg></style>"
)
LONG = "word " * 10_000
NAMES = ("forecast", "seven", "match", "zh-neighbour", "zh-weather", "old-house")


def make(folder: Path) -> None:
    """Six example clips, one whose every text attacks, one of ten thousand words, one that is no sound."""
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00 this is no sound")
    attack = dict.fromkeys(("text", "title", "category", "source", "licence", "speaker"), ATTACK)
    write_manifest(
        folder / "clips.jsonl",
        *(example(name) for name in NAMES),
        example("station", **attack, language="en") | {"id": ATTACK},
        example("recipe", id="long", text=LONG),
        example("recipe", id="broken", audio=str(folder / "broken.wav")),
    )
    ended = speechcraft(
        "annotate", folder / "clips.jsonl", "--out", folder / "run", "--engine", "inline", "--shard-size", 5
    )
    assert ended.code == 0, ended.err


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of these clips."""
    return copy_of(tmp_path_factory, "reported", make) / "run"


@pytest.fixture(scope="session")
def page(run: Path) -> Path:
    """The report of that run."""
    ended = speechcraft("report", run, "--json")
    assert ended.code == 0, ended.err
    return Path(ended.json["report"])
