"""What tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.train.voices import read_aloud


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus that is read aloud, for models of the speaker."""
    folder = tmp_path_factory.mktemp("read")
    read_aloud(folder)
    return folder
