"""Copies are found whatever was done to them, what only resembles is kept, and the first stays."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from jobs.export import alike_sound, alike_text
from jobs.export.near import Kept
from pipeline.clip import Samples
from tests.command import CLIPS, speechcraft
from tests.jobs.export.conftest import HOSTILE_ID
from tests.make import noise, silence

SPOKEN = ("forecast.wav", "bedtime.flac", "asleep.flac", "zh-weather.flac", "seven.flac", "match.wav")


def spoken(name: str) -> Samples:
    sound, rate_hz = soundfile.read(CLIPS / name, dtype="float32")
    assert rate_hz == 16000
    return np.asarray(sound, np.float32)


def packed(samples: Samples, rate_hz: int, format: str, subtype: str) -> Samples:
    """The sound after it went through a codec at another rate."""
    file = io.BytesIO()
    there = soxr.resample(samples, 16000, rate_hz)
    soundfile.write(file, there, rate_hz, format=format, subtype=subtype)
    file.seek(0)
    back, _ = soundfile.read(file, dtype="float32")
    return np.asarray(soxr.resample(back, rate_hz, 16000), np.float32)


COPIES: dict[str, Callable[[Samples], Samples]] = {
    "quieter": lambda x: x * np.float32(0.05),
    "telephone": lambda x: packed(x, 8000, "WAV", "ULAW"),
    "mp3": lambda x: packed(x, 44100, "MP3", "MPEG_LAYER_III"),
    "vorbis": lambda x: packed(x, 32000, "OGG", "VORBIS"),
    "late": lambda x: np.concatenate([np.zeros(320, np.float32), x]),
    "noisy": lambda x: x + noise(len(x) / 16000, rms=float(np.std(x)) / 30)[: len(x)],
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_found_and_nothing_else_is(copy: str) -> None:
    marks = {name: alike_sound.fingerprint(spoken(name)) for name in SPOKEN}
    kept = Kept(alike_sound.alike)
    for name, mark in marks.items():
        assert mark is not None
        assert kept.like(mark, alike_sound.bands(mark)) is None
        kept.keep(name, mark, alike_sound.bands(mark))
    for name in SPOKEN:
        mark = alike_sound.fingerprint(COPIES[copy](spoken(name)))
        assert mark is not None
        assert kept.like(mark, alike_sound.bands(mark)) == name


def test_a_part_of_a_clip_is_no_copy_and_silence_is_like_nothing() -> None:
    whole = spoken("forecast.wav")
    a, b = alike_sound.fingerprint(whole), alike_sound.fingerprint(whole[: len(whole) // 2])
    assert a is not None
    assert b is not None
    assert not alike_sound.alike(a, b)
    assert alike_sound.fingerprint(silence(3.0)) is None
    assert alike_sound.fingerprint(whole[:100]) is None


TEXT = "The weather will be cold tomorrow, with rain in the west and a little snow in the north."


@pytest.mark.parametrize(
    "near", [TEXT.upper(), TEXT.replace(",", " -"), TEXT.replace("snow", "show"), TEXT + " Um."]
)
def test_texts_that_differ_by_a_word_are_alike(near: str) -> None:
    a, b = (alike_text.signature(alike_text.plain(text)) for text in (TEXT, near))
    assert a is not None
    assert b is not None
    assert alike_text.alike(a, b)
    assert set(zip(range(99), alike_text.bands(a), strict=False)) & set(
        zip(range(99), alike_text.bands(b), strict=False)
    )


@pytest.mark.parametrize(
    "other", ["The weather was fine.", TEXT[: len(TEXT) // 2], "天气明天会冷，西边有雨。"]
)
def test_other_texts_are_not_alike(other: str) -> None:
    a, b = (alike_text.signature(alike_text.plain(text)) for text in (TEXT, other))
    assert a is not None
    assert b is not None
    assert not alike_text.alike(a, b)


def test_nothing_is_no_duplicate_of_nothing() -> None:
    assert alike_text.signature("") is None
    assert alike_text.plain("... !") == ""


@pytest.mark.parametrize(
    ("kinds", "gone"),
    [
        ("sound", {HOSTILE_ID: "sound as forecast"}),
        ("transcript", {HOSTILE_ID: "transcript as forecast", "forecast-noise": "transcript as forecast"}),
        ("sound-near,transcript-near", {HOSTILE_ID: "sound as forecast", "forecast-noise": "transcript as"}),
    ],
)
def test_the_first_stays_and_the_rest_are_named(
    run: Path, tmp_path: Path, kinds: str, gone: dict[str, str]
) -> None:
    done = speechcraft(
        "export", run, tmp_path / "out", "--to", "jsonl", "--audio", "none", "--dedupe", kinds,
        "--filter", "status == 'ok' and duration_s > 4",
    )  # fmt: skip
    assert done.code == 0, done.err
    lines = (tmp_path / "out" / "dropped.jsonl").read_text("utf-8").splitlines()
    found = {x["id"]: x["why"] for x in map(json.loads, lines) if x["reason"].startswith("dedupe")}
    assert all(gone[name] in why for name, why in found.items() if name in gone)
    assert gone.keys() <= found.keys()
    assert "forecast" not in found


def test_what_was_dropped_for_another_reason_takes_nobody_with_it(run: Path, tmp_path: Path) -> None:
    done = speechcraft(
        "export", run, tmp_path / "out", "--to", "jsonl", "--audio", "none", "--dedupe", "sound",
        "--filter", "id != 'forecast'",
    )  # fmt: skip
    assert done.code == 0, done.err
    lines = (tmp_path / "out" / "dropped.jsonl").read_text("utf-8").splitlines()
    assert [(x["id"], x["reason"]) for x in map(json.loads, lines)] == [("forecast", "filter")]
