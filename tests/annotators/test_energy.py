from __future__ import annotations

import numpy as np
import pytest
import soxr

from annotators.energy.levels import LevelsAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.rows import Energy
from tests.make import buzz, clip_of, noise, silence, tone


def energy_of(samples: Samples) -> Energy:
    return LevelsAnnotator().annotate([clip_of(samples)])[0]


def syllables(*, peak: float = 0.5) -> Samples:
    """Bursts of voice in quiet: speech to a voice activity detector."""
    burst = buzz(150, 0.2, peak=peak) * np.hanning(3200).astype(np.float32)
    return np.concatenate([np.concatenate([burst, silence(0.2)]) for _ in range(6)]).astype(np.float32)


def test_a_full_scale_sine_is_3_db_under_full_scale_by_both_measures() -> None:
    row = energy_of(tone(997, 5, peak=1.0))
    assert row.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert row.loudness_lufs == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("f_hz", [60, 150, 400, 2000, 4000, 7000])
def test_loudness_weighs_frequencies_as_the_standard_does(f_hz: float) -> None:
    """The filter coefficients are those BS.1770-4 prints for 48 kHz."""
    numerators = [[1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -2.0, 1.0]]
    denominators = [[1.0, -1.69065929318241, 0.73248077421585], [1.0, -1.99004745483398, 0.99007225036621]]
    z = np.exp(-2j * np.pi * f_hz / 48_000 * np.arange(3))
    gain = np.prod([abs(np.dot(b, z) / np.dot(a, z)) for b, a in zip(numerators, denominators, strict=True)])
    expected = -0.691 + 10 * np.log10(gain**2 / 2)
    assert energy_of(tone(f_hz, 5, peak=1.0)).loudness_lufs == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("gain_db", [-30.0, -6.0, 6.0])
def test_gain_moves_both_measures_by_as_much(gain_db: float) -> None:
    sound = syllables() + noise(2.4, rms=0.001)
    row, moved = energy_of(sound), energy_of((sound * 10 ** (gain_db / 20)).astype(np.float32))
    assert row.rms_dbfs is not None
    assert row.loudness_lufs is not None
    assert moved.rms_dbfs == pytest.approx(row.rms_dbfs + gain_db, abs=0.05)
    assert moved.loudness_lufs == pytest.approx(row.loudness_lufs + gain_db, abs=0.05)


def test_pauses_do_not_lower_the_level() -> None:
    sound = syllables() + noise(2.4, rms=0.0005)
    paused = np.concatenate([noise(3, rms=0.0005, seed=1), sound, noise(3, rms=0.0005, seed=2)])
    row = energy_of(sound)
    assert energy_of(paused).rms_dbfs == pytest.approx(row.rms_dbfs, abs=1.0)
    assert energy_of(paused).loudness_lufs == pytest.approx(row.loudness_lufs, abs=1.0)


def test_where_no_speech_stands_out_the_level_is_that_of_the_clip() -> None:
    assert energy_of(noise(2, rms=0.1)).rms_dbfs == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize("duration_s", [0.0, 0.01, 2.0])
def test_digital_silence_has_no_level(duration_s: float) -> None:
    assert energy_of(silence(duration_s)) == Energy(None, None)


def test_loudness_needs_a_gating_block() -> None:
    row = energy_of(tone(400, 0.399))
    assert row.rms_dbfs is not None
    assert row.loudness_lufs is None
    assert energy_of(tone(400, 0.4)).loudness_lufs is not None


def test_under_the_absolute_gate_there_is_a_level_but_no_loudness() -> None:
    row = energy_of(tone(400, 2, peak=1e-4))
    assert row.rms_dbfs == pytest.approx(-83, abs=0.1)
    assert row.loudness_lufs is None


def test_loudness_at_16_khz_is_that_of_the_standard_at_48_khz() -> None:
    import pyloudnorm

    sound = syllables() + noise(2.4, rms=0.002)
    at_48_khz = soxr.resample(sound.astype(np.float64), SAMPLE_RATE_HZ, 48_000)
    exact = pyloudnorm.Meter(48_000, filter_class="DeMan").integrated_loudness(at_48_khz)
    assert energy_of(sound).loudness_lufs == pytest.approx(exact, abs=0.1)


def test_a_batch_is_as_good_as_its_clips() -> None:
    sounds = [syllables(), silence(1), tone(200, 0.2), noise(1)]
    assert LevelsAnnotator().annotate([clip_of(s) for s in sounds]) == [energy_of(s) for s in sounds]
