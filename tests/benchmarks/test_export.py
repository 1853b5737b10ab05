from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.export import peak_mib


@pytest.mark.parametrize("to", ["hf", "webdataset"])
def test_an_export_of_more_clips_takes_no_more_memory(tmp_path: Path, to: str) -> None:
    """The small form of the law; docs/dataset.md has the figures of 10,000 and 100,000 clips.

    The sound of 3,500 clips is 107 MiB."""
    few, _, _ = peak_mib(tmp_path / "few", 500, to)
    many, _, _ = peak_mib(tmp_path / "many", 4_000, to)
    assert many - few < 50
