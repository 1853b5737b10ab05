"""SNR follows the noise that is added, whatever its kind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from annotators.quality.measured import MeasuredAnnotator, quality_of
from pipeline.clip import Samples
from pipeline.rows import Sound
from tests.make import buzz, clip_of, noise, silence, tone


def talk() -> Samples:
    """Syllables that swell and fade, with pauses: 12 s."""
    phrase = [np.hanning(4000).astype(np.float32) * buzz(f0, 0.25) for f0 in (110, 130, 120, 150, 100)]
    return np.concatenate([*phrase, silence(0.6)] * 6)


def mixed(voice: Samples, hiss: Samples, snr_db: float) -> Samples:
    hiss = np.resize(hiss, voice.shape)
    scale = np.sqrt(np.mean(voice**2) / np.mean(hiss**2) / 10 ** (snr_db / 10))
    return np.asarray(voice + scale * hiss, dtype=np.float32)


@pytest.mark.parametrize("snr_db", [0, 5, 10, 20, 30])
@pytest.mark.parametrize("hiss", [noise(12), tone(100, 12) + noise(12, rms=0.02)], ids=["white", "hum"])
def test_snr_is_that_of_the_mixture(snr_db: float, hiss: Samples) -> None:
    found = quality_of(mixed(talk(), hiss, snr_db)).snr_db
    assert found == pytest.approx(snr_db, abs=1.5)


def test_noise_floor_is_the_level_of_the_noise() -> None:
    assert quality_of(talk() + noise(12, rms=0.01)[: len(talk())]).noise_dbfs == pytest.approx(-40, abs=1)


def test_level_does_not_change_the_snr() -> None:
    sound = mixed(talk(), noise(12), 10)
    assert quality_of(sound).snr_db == pytest.approx(quality_of(sound * 0.1).snr_db, abs=0.01)


def test_a_constant_is_not_noise() -> None:
    sound = mixed(talk(), noise(12), 15)
    assert quality_of(sound + np.float32(0.1)).snr_db == pytest.approx(quality_of(sound).snr_db, abs=0.01)


@pytest.mark.parametrize("sound", [silence(1), np.full(16_000, 0.3, np.float32), silence(0.005)], ids=str)
def test_nothing_recorded_has_neither_snr_nor_floor(sound: Samples) -> None:
    found = quality_of(sound)
    assert (found.snr_db, found.noise_dbfs) == (None, None)


def test_noise_alone_has_a_floor_but_no_snr() -> None:
    found = quality_of(noise(5, rms=0.01))
    assert found.snr_db is None
    assert found.noise_dbfs == pytest.approx(-40, abs=1)


def test_digital_silence_between_words_is_not_the_noise() -> None:
    gated = mixed(talk(), noise(12), 10)
    gated = np.concatenate([silence(5), gated])
    assert quality_of(gated).snr_db == pytest.approx(10, abs=2)


def test_one_row_a_clip() -> None:
    sounds = [mixed(talk(), noise(12), 10), silence(1)]
    row = Sound(1.0, 16_000, 1, "PCM_16", -1.0, 0.0, 8000.0, "")
    assert MeasuredAnnotator().annotate([clip_of(s, rows=[row]) for s in sounds]) == [
        quality_of(s) for s in sounds
    ]


@pytest.mark.real
def test_recorded_noise_is_measured_within_two_and_a_half_db() -> None:
    folder = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / "voicebank"
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    found = [quality_of(soundfile.read(folder / r["audio"], dtype="float32")[0]).snr_db for r in rows]
    errors = [abs(f - r["snr_measured_db"]) for f, r in zip(found, rows, strict=True) if f is not None]
    assert len(errors) == len(rows)
    assert np.mean(errors) < 2.5
