"""One small run that people review."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import example, speechcraft, write_manifest
from tests.once import copy_of

NAMES = ("forecast", "station", "recipe", "seven", "zh-neighbour")
ATTACK = "<script>window.hurt=1</script><img src=x onerror=window.hurt=2>\"'&amp;\u202edne</textarea></svg>"
"""An id and a text that would like to be markup."""


def annotate(folder: Path, *more: object) -> dict[str, int]:
    """Annotate, or go on, in shards of two: how many rows each family computed."""
    ended = speechcraft(
        "annotate", folder / "clips.jsonl", "--out", folder / "run", "--engine", "inline", "--shard-size", 2,
        "--json", "--set", "enhance=off", *more,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return {name.partition("-")[0]: tally["ok"] for name, tally in ended.json["annotators"].items()}


def make(folder: Path) -> None:
    """A source of six clips, one of which attacks, and its run."""
    write_manifest(
        folder / "clips.jsonl",
        *(example(name) for name in NAMES),
        example("recipe", id=ATTACK, text=ATTACK, title=ATTACK, category=ATTACK),
    )
    annotate(folder)


@pytest.fixture(scope="session")
def reviewable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source and its run."""
    return copy_of(tmp_path_factory, "reviewed", make)


@pytest.fixture
def folder(reviewable: Path, tmp_path: Path) -> Path:
    """The source and its run, to change."""
    shutil.copytree(reviewable, tmp_path / "made")
    return tmp_path / "made"


@pytest.fixture
def again() -> Callable[..., dict[str, int]]:
    """Annotate a folder again."""
    return annotate
