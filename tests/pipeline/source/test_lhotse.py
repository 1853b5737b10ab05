from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from pipeline.errors import SourceError
from pipeline.source.base import Item
from pipeline.source.lhotse import LhotseSource

RECORDING: dict[str, Any] = {  # as lhotse 1.33 writes it
    "id": "r",
    "sources": [{"type": "file", "channels": [0], "source": "/x/r.wav"}],
    "sampling_rate": 16000,
    "num_samples": 32000,
    "duration": 2.0,
    "channel_ids": [0],
}
SUPERVISION: dict[str, Any] = {
    "id": "s1",
    "recording_id": "r",
    "start": 0.5,
    "duration": 1.0,
    "channel": 0,
    "text": "hello",
    "language": "en",
    "speaker": "anna",
    "gender": "F",
    "custom": {"age": 30},
}
CUT: dict[str, Any] = {
    "id": "c",
    "start": 0.0,
    "duration": 2.0,
    "channel": 0,
    "supervisions": [SUPERVISION],
    "recording": RECORDING,
    "type": "MonoCut",
}


def manifest(folder: Path, *rows: Any) -> LhotseSource:
    (folder / "cuts.jsonl").write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return LhotseSource(str(folder / "cuts.jsonl"))


def code(item: Item) -> str | None:
    return item.problem.code if item.problem else None


def with_recording(**changes: Any) -> dict[str, Any]:
    return {**CUT, "recording": {**RECORDING, **changes}}


def test_a_cut_of_a_whole_recording_is_the_recording_with_what_its_supervision_says(tmp_path: Path) -> None:
    (item,) = manifest(tmp_path, CUT)
    assert (item.id, item.audio.url, item.audio.offset_s, item.audio.span_s) == ("c", "/x/r.wav", None, None)
    assert item.recording_s == 2.0
    given = item.given
    assert (given.text, given.language, given.speaker, given.gender) == ("hello", "en", "anna", "female")
    assert given.age_years == 30.0


def test_a_piece_of_a_recording_has_its_offset_and_span(tmp_path: Path) -> None:
    (item,) = manifest(tmp_path, {**CUT, "start": 0.25, "duration": 1.0})
    assert (item.audio.offset_s, item.audio.span_s, item.recording_s) == (0.25, 1.0, 2.0)


def test_several_supervisions_make_one_text_and_one_speaker_only_if_they_agree(tmp_path: Path) -> None:
    later = {**SUPERVISION, "start": 1.5, "text": "world", "speaker": "bert"}
    (item,) = manifest(tmp_path, {**CUT, "supervisions": [later, SUPERVISION]})
    assert (item.given.text, item.given.speaker, item.given.language) == ("hello world", None, "en")


@pytest.mark.parametrize(
    ("cut", "problem"),
    [
        (with_recording(transforms=[{"name": "Resample", "kwargs": {}}]), None),
        (with_recording(transforms=[{"name": "Speed", "kwargs": {"factor": 1.1}}]), "transform"),
        (with_recording(sources=[{"type": "command", "channels": [0], "source": "touch hacked"}]), "pipe"),
        (with_recording(sources=[{"type": "memory", "channels": [0], "source": "UklGRg=="}]), "no_audio"),
        (with_recording(sources=[{"type": "url", "channels": [0], "source": "https://x.org/a.wav"}]), None),
        (with_recording(sources=[{"type": "file", "channels": [0, 1], "source": "/x/r.wav"}]), "channel"),
        (with_recording(sources=[]), "no_audio"),
        ({**CUT, "recording": None}, "no_audio"),
        ({**CUT, "duration": 0}, "bad_span"),
        ({**CUT, "type": "MixedCut", "tracks": []}, "unsupported_cut"),
        ({**CUT, "type": "PaddingCut"}, "unsupported_cut"),
    ],
)
def test_what_exists_only_after_processing_is_a_problem(
    tmp_path: Path, cut: Any, problem: str | None
) -> None:
    (item,) = manifest(tmp_path, cut)
    assert (item.id, code(item)) == ("c", problem)


def test_all_channels_of_one_file_or_the_file_of_one_channel_can_be_read(tmp_path: Path) -> None:
    stereo = [{"type": "file", "channels": [0, 1], "source": "/x/st.wav"}]
    apart = [{"type": "file", "channels": [c], "source": f"/x/{c}.wav"} for c in (0, 1)]
    both, second = manifest(
        tmp_path,
        {**with_recording(sources=stereo), "type": "MultiCut", "channel": [0, 1]},
        {**with_recording(sources=apart), "channel": 1, "id": "d"},
    )
    assert (both.audio.url, second.audio.url) == ("/x/st.wav", "/x/1.wav")


def test_recordings_are_items_too_and_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "recordings.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(RECORDING).encode()))
    (item,) = LhotseSource(str(path))
    assert (item.id, item.audio.url, item.recording_s) == ("r", "/x/r.wav", 2.0)


JSON = strategies.recursive(
    strategies.none() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=3,
)
KEYS = strategies.sampled_from(
    [
        "id",
        "start",
        "duration",
        "channel",
        "supervisions",
        "recording",
        "type",
        "sources",
        "transforms",
        "text",
    ]
)


@given(rows=strategies.lists(strategies.dictionaries(KEYS, JSON), max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_object_is_exactly_one_item(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    hostile = [{**CUT, **row} for row in rows] + [with_recording(**row) for row in rows]
    items = list(manifest(tmp_path, CUT, *rows, *hostile, "{broken"))
    assert len(items) == 2 + len(rows) * 3
    assert code(items[-1]) == "bad_line"


@pytest.mark.parametrize("row", ['{"id": 1, "audio": "a.wav"}', "", "{broken"])
def test_what_holds_no_cut_is_a_source_error(tmp_path: Path, row: str) -> None:
    with pytest.raises(SourceError, match="cut or recording"):
        manifest(tmp_path, row)
