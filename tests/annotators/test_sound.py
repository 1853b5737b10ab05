"""The decoder measures the native sound, and names what it cannot read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from annotators.sound.decode import DecodeAnnotator, bandwidth_hz, clipped_share
from pipeline.annotator import Heard
from pipeline.clip import AudioRef, Clip, Given, Samples
from pipeline.errors import ClipError
from pipeline.rows import Sound
from tests.make import buzz, noise, silence, tone


def clip(path: Path, offset_s: float | None = None, span_s: float | None = None) -> Clip:
    return Clip(path.stem, AudioRef(str(path), offset_s=offset_s, span_s=span_s), Given())


def hear(path: Path) -> Heard[Sound]:
    found = DecodeAnnotator().hear([clip(path)])[0]
    assert isinstance(found, Heard), found
    return found


def written(tmp_path: Path, sound: npt.NDArray[Any], rate_hz: int = 16_000, **how: str) -> Path:
    path = tmp_path / f"a.{how.pop('ending', 'wav')}"
    soundfile.write(path, sound, rate_hz, **how)
    return path


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("gone.wav", None, "not_found"),
        ("empty.wav", b"", "empty"),
        ("text.wav", b"this is no sound\n" * 99, "not_sound"),
        ("zeros.wav", bytes(4000), "not_sound"),
    ],
)
def test_what_is_not_sound_says_so(tmp_path: Path, name: str, data: bytes | None, code: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    found = DecodeAnnotator().hear([clip(tmp_path / name)])[0]
    assert isinstance(found, ClipError)
    assert found.code == code
    assert str(found).endswith(".")
    assert "\n" not in str(found)


def test_a_folder_is_unreadable(tmp_path: Path) -> None:
    found = DecodeAnnotator().hear([clip(tmp_path)])[0]
    assert isinstance(found, ClipError)
    assert found.code == "unreadable"


@pytest.mark.parametrize(
    ("sound", "code"),
    [
        (np.r_[noise(1), np.float32("nan")], "not_finite"),
        (np.r_[noise(1), np.float32("inf")], "not_finite"),
        (tone(100, 1) * 32768, "not_scaled"),
        (tone(100, 0.01), "too_short"),
        (np.zeros(0, np.float32), "empty"),
    ],
)
def test_samples_that_are_no_sound_fail_with_a_code(tmp_path: Path, sound: Samples, code: str) -> None:
    found = DecodeAnnotator().hear([clip(written(tmp_path, sound, subtype="FLOAT"))])[0]
    assert isinstance(found, ClipError)
    assert found.code == code


def test_silence_is_sound_without_peak_or_bandwidth(tmp_path: Path) -> None:
    row = hear(written(tmp_path, silence(1))).row
    assert (row.peak_dbfs, row.bandwidth_hz, row.clipped_share) == (None, None, 0.0)


def test_a_constant_is_sound(tmp_path: Path) -> None:
    row = hear(written(tmp_path, np.full(16_000, 0.5, np.float32))).row
    assert row.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert row.bandwidth_hz is None
    assert row.clipped_share == 0


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_any_rate_and_channels_become_the_same_tone(tmp_path: Path, rate_hz: int, channels: int) -> None:
    sound = np.repeat(tone(440, 1, rate_hz=rate_hz)[:, None], channels, axis=1)
    heard = hear(written(tmp_path, sound, rate_hz))
    assert (heard.row.native_rate_hz, heard.row.channels) == (rate_hz, channels)
    assert heard.row.duration_s == pytest.approx(1)
    assert heard.samples is not None
    np.testing.assert_allclose(heard.samples[800:-800], tone(440, 1)[800:-800], atol=2e-3)


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("limit", [0.3, 0.6, 0.9])
def test_clipping_is_seen_at_any_level(tmp_path: Path, gain: float, limit: float) -> None:
    voice = buzz(130, 2, peak=1.0, rate_hz=44_100)
    flat = np.mean(np.abs(voice) >= limit)
    row = hear(written(tmp_path, np.clip(voice, -limit, limit) * gain, 44_100)).row
    assert row.clipped_share == pytest.approx(flat, rel=0.2 if gain > 0.1 else 0.35)


@pytest.mark.parametrize("f0_hz", [50, 100, 440, 3000])
@pytest.mark.parametrize("peak", [1.0, 0.3, 0.01])
def test_a_round_wave_is_not_clipped(tmp_path: Path, f0_hz: float, peak: float) -> None:
    assert hear(written(tmp_path, tone(f0_hz, 1, peak=peak, rate_hz=44_100), 44_100)).row.clipped_share == 0


def test_mu_law_is_not_clipping(tmp_path: Path) -> None:
    path = written(tmp_path, buzz(130, 2, rate_hz=8_000) + noise(1, rms=0.02), 8_000, subtype="ULAW")
    assert hear(path).row.clipped_share < 1e-3


def test_a_run_at_the_edge_of_the_clip_is_not_clipping() -> None:
    assert clipped_share(np.ones((100, 1), np.float32)) == 0


@pytest.mark.parametrize("native_hz", [8_000, 16_000, 22_050])
def test_upsampling_does_not_widen_the_band(native_hz: int) -> None:
    sound = noise(2, rms=0.1)[: 2 * native_hz]
    wide = soxr.resample(sound, native_hz, 44_100, quality="HQ")
    found = bandwidth_hz(wide[:, None], 44_100)
    assert found == pytest.approx(native_hz / 2, rel=0.06)


def test_white_noise_fills_the_band() -> None:
    assert bandwidth_hz(noise(2)[:, None], 16_000) == pytest.approx(8_000, rel=0.01)


def test_equal_sound_has_an_equal_hash_in_any_lossless_container(tmp_path: Path) -> None:
    voice = np.round(buzz(120, 1) * 32767).astype(np.int16)
    hashes = {hear(written(tmp_path, voice, ending=e)).row.sound_hash for e in ("wav", "flac", "aiff")}
    assert len(hashes) == 1
    assert hear(written(tmp_path, voice // 2)).row.sound_hash not in hashes


def test_utterances_of_one_recording_are_its_samples_there(tmp_path: Path) -> None:
    sound = noise(10, rms=0.1)
    path = written(tmp_path, sound, ending="flac")
    found = DecodeAnnotator().hear([clip(path, 1.5, 2.0), clip(path, 7.0), clip(path, 9.0, 5.0)])
    first, rest, beyond = found
    assert isinstance(first, Heard)
    assert isinstance(rest, Heard)
    assert first.samples is not None
    np.testing.assert_allclose(first.samples, sound[24_000:56_000], atol=1e-4)
    assert rest.row.duration_s == pytest.approx(3)
    assert isinstance(beyond, ClipError)
    assert beyond.code == "past_end"


def test_a_batch_gives_what_single_clips_give(tmp_path: Path) -> None:
    good, short = tmp_path / "good.wav", tmp_path / "short.wav"
    soundfile.write(good, noise(1), 16_000)
    soundfile.write(short, noise(0.01), 16_000)
    clips = [clip(good), clip(short), clip(tmp_path / "gone.wav"), clip(good)]
    one_by_one = [DecodeAnnotator().annotate([c])[0] for c in clips]
    for together, alone in zip(DecodeAnnotator().annotate(clips), one_by_one, strict=True):
        if isinstance(alone, Sound):
            assert together == replace(alone)
        else:
            assert str(together) == str(alone)
