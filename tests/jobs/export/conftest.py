"""One small run that every export is made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import example, speechcraft, write_manifest
from tests.once import copy_of

HOSTILE = "../../etc/p\u202ewd|<script>alert(1)</script>\n---\nx: [`y`](z)"
"""An id that would like to be a path, markup, a heading and another line."""
HOSTILE_ID = HOSTILE.replace("\u202e", "\ufffd").replace("\n", "\ufffd")
"""As the run keeps it."""
PIECE = "piece@00000500"
SPAN = (0.5, 2.25)
"""Offset and length of the clip PIECE, in s."""


def make(folder: Path) -> None:
    """Nine clips in shards of three: files of four kinds, a span, one that is no sound, hostile text."""
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00 this is no sound")
    sound, rate_hz = soundfile.read(example("recipe")["audio"], dtype="int16")
    wide = np.stack([sound, sound // 2], axis=1)
    soundfile.write(folder / "wide.flac", wide, rate_hz)
    write_manifest(
        folder / "clips.jsonl",
        example("forecast"),
        example("station"),
        example("forecast", id="piece", offset_s=SPAN[0], duration_s=SPAN[1], text="will be cold"),
        example("zh-neighbour", licence="CC-BY-4.0", attribution="A. Neighbour"),
        example("forecast", id="broken", audio=str(folder / "broken.wav"), speaker="nobody"),
        example("forecast", id=HOSTILE, title=HOSTILE, category=HOSTILE, licence=HOSTILE, speaker=HOSTILE),
        example("forecast-noise"),
        example("old-house", speaker=None, licence=None),
        example("recipe", id="wide", audio=str(folder / "wide.flac"), speaker=None),
    )
    ended = speechcraft(
        "annotate", folder / "clips.jsonl", "--out", folder / "run", "--engine", "inline", "--shard-size", 3
    )
    assert ended.code == 0, ended.err


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of these clips."""
    return copy_of(tmp_path_factory, "exported", make) / "run"
