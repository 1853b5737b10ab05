"""A run of which clips are forgotten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.command import example, write_manifest
from tests.jobs.forget.held import NAMES, annotate
from tests.once import once


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source of seven clips, and its run in shards of two."""

    def make(folder: Path) -> None:
        write_manifest(folder / "clips.jsonl", *(example(name) for name in NAMES))
        annotate(folder)

    return once(tmp_path_factory, "forget", make)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made"
