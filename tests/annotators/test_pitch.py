from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from annotators.pitch.dio import HOP_S, DioAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.errors import OptionError
from pipeline.rows import Pitch
from tests.make import buzz, clip_of, noise, silence, tone


def pitch_of(samples: Samples) -> Pitch:
    return DioAnnotator().annotate([clip_of(samples)])[0]


def sung(f0_hz: np.ndarray, *, peak: float = 0.5) -> Samples:
    """Twenty harmonics that follow an F0 given for every sample."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE_HZ
    heard = [np.sin(k * phase) / k * (k * f0_hz < 7000) for k in range(1, 21)]
    wave = np.sum(heard, axis=0)
    return np.asarray(peak * wave / np.max(np.abs(wave)), dtype=np.float32)


def seconds(duration_s: float) -> np.ndarray:
    return np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def spoken() -> Samples:
    """Two voiced stretches that fall in pitch, with hiss and silence around them."""
    falling = sung(np.linspace(220, 160, round(0.6 * SAMPLE_RATE_HZ)))
    return np.concatenate([silence(0.3), falling, noise(0.2, rms=0.03), falling, silence(0.3)])


@pytest.mark.parametrize("f0_hz", [50, 60, 85, 120, 200, 300, 450, 600])
@pytest.mark.parametrize("make", [buzz, tone])
def test_a_steady_voice_has_its_own_pitch(make: object, f0_hz: float) -> None:
    assert callable(make)
    row = pitch_of(make(f0_hz, 0.6))
    assert row.f0_median_hz == pytest.approx(f0_hz, rel=0.005)
    assert row.f0_spread_semitones == pytest.approx(0, abs=0.5)


def test_the_contour_of_a_glide_is_the_glide() -> None:
    f0_hz = np.geomspace(100, 250, 2 * SAMPLE_RATE_HZ)
    row = pitch_of(sung(f0_hz))
    frames = np.arange(10, len(row.f0_hz) - 10)
    truth = f0_hz[np.rint(frames * HOP_S * SAMPLE_RATE_HZ).astype(int)]
    assert row.f0_hz[frames] == pytest.approx(truth, rel=0.02)


def test_percentiles_and_spread_of_a_glide_are_those_of_its_law() -> None:
    row = pitch_of(sung(np.geomspace(100, 200, 3 * SAMPLE_RATE_HZ)))
    assert row.f0_low_hz == pytest.approx(100 * 2**0.05, rel=0.02)
    assert row.f0_median_hz == pytest.approx(100 * 2**0.5, rel=0.02)
    assert row.f0_high_hz == pytest.approx(100 * 2**0.95, rel=0.02)
    assert row.f0_spread_semitones == pytest.approx(12 / np.sqrt(12), rel=0.03)


def test_vibrato_widens_the_spread_and_leaves_the_median() -> None:
    semitones = np.sin(2 * np.pi * 5 * seconds(2))
    row = pitch_of(sung(180 * 2 ** (semitones / 12)))
    assert row.f0_median_hz == pytest.approx(180, rel=0.01)
    assert row.f0_spread_semitones == pytest.approx(1 / np.sqrt(2), rel=0.1)


def test_jitter_leaves_the_median() -> None:
    steps = np.random.default_rng(1).normal(0, 0.01, 300)
    f0_hz = 140 * (1 + np.repeat(steps, round(2 * SAMPLE_RATE_HZ / len(steps))))
    assert pitch_of(sung(f0_hz)).f0_median_hz == pytest.approx(140, rel=0.01)


@pytest.mark.parametrize("gain_db", [-60, -40, -20, 6])
def test_level_changes_nothing(gain_db: float) -> None:
    sound = spoken()
    row, softer = pitch_of(sound), pitch_of((sound * 10 ** (gain_db / 20)).astype(np.float32))
    assert softer.f0_hz == pytest.approx(row.f0_hz, rel=1e-3)
    assert softer.voiced_share == row.voiced_share


def test_silence_around_the_speech_changes_only_the_share() -> None:
    row, padded = pitch_of(spoken()), pitch_of(np.concatenate([silence(5), spoken(), silence(5)]))
    assert padded.f0_median_hz == pytest.approx(row.f0_median_hz, rel=1e-3)
    assert padded.f0_spread_semitones == pytest.approx(row.f0_spread_semitones, abs=0.05)
    assert row.voiced_share is not None
    assert padded.voiced_share == pytest.approx(
        row.voiced_share * len(row.f0_hz) / len(padded.f0_hz), rel=0.02
    )


@pytest.mark.parametrize("ratio", [0.75, 1.25, 1.5])
def test_playing_faster_raises_the_pitch_by_as_much(ratio: float) -> None:
    sound = sung(120 * 2 ** (np.sin(2 * np.pi * 3 * seconds(2)) / 6))
    faster = soxr.resample(sound, SAMPLE_RATE_HZ * ratio, SAMPLE_RATE_HZ).astype(np.float32)
    row, raised = pitch_of(sound), pitch_of(faster)
    assert row.f0_median_hz is not None
    assert raised.f0_median_hz == pytest.approx(row.f0_median_hz * ratio, rel=0.01)
    assert raised.f0_spread_semitones == pytest.approx(row.f0_spread_semitones, rel=0.05)


@pytest.mark.parametrize("hum_hz", [50, 60])
def test_mains_hum_under_the_speech_is_not_its_pitch(hum_hz: float) -> None:
    voice = np.concatenate([sung(np.linspace(240, 180, SAMPLE_RATE_HZ)), silence(1)])
    row = pitch_of(voice + tone(hum_hz, len(voice) / SAMPLE_RATE_HZ, peak=0.02))
    assert row.f0_median_hz == pytest.approx(210, rel=0.02)
    assert row.f0_low_hz == pytest.approx(183, rel=0.03)


def test_voicing_starts_and_ends_with_the_voice() -> None:
    row = pitch_of(np.concatenate([noise(0.5, rms=0.01), buzz(150, 0.5), noise(0.5, rms=0.01)]))
    voiced = np.flatnonzero(row.f0_hz) * HOP_S
    assert voiced.min() == pytest.approx(0.5, abs=0.015)
    assert voiced.max() == pytest.approx(1.0, abs=0.015)


def test_a_clipped_voice_keeps_its_pitch() -> None:
    clipped = np.clip(4 * sung(np.linspace(150, 100, SAMPLE_RATE_HZ)), -1, 1).astype(np.float32)
    assert pitch_of(clipped).f0_median_hz == pytest.approx(125, rel=0.01)


def test_a_voice_in_noise_keeps_its_pitch() -> None:
    sound = sung(np.full(SAMPLE_RATE_HZ, 130.0)) + noise(1, rms=0.05)
    assert pitch_of(sound).f0_median_hz == pytest.approx(130, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("colour", ["white", "pink"])
def test_noise_has_no_pitch(colour: str, seed: int) -> None:
    sound = noise(2, rms=0.1, seed=seed)
    if colour == "pink":
        spectrum = np.fft.rfft(sound)
        spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
        sound = np.fft.irfft(spectrum, len(sound)).astype(np.float32)
    row = pitch_of(sound)
    assert row.f0_median_hz is None
    assert row.voiced_share is None


@pytest.mark.parametrize(
    "samples", [silence(0), silence(1), np.full(16_000, 0.3, np.float32), buzz(150, 0.04), noise(0.01)]
)
def test_silence_dc_and_less_than_50_ms_are_null_and_unvoiced(samples: Samples) -> None:
    row = pitch_of(samples)
    assert (row.f0_median_hz, row.f0_spread_semitones, row.f0_low_hz, row.f0_high_hz) == (None,) * 4
    assert row.voiced_share is None
    assert not row.f0_hz.any()


@pytest.mark.parametrize("n_samples", [0, 1, 79, 80, 799, 800, 879, 1601, 15_998, 16_000])
def test_there_is_a_frame_every_5_ms_from_the_first_sample_on(n_samples: int) -> None:
    row = pitch_of(tone(200, 1)[:n_samples])
    assert len(row.f0_hz) == n_samples // 80 + 1
    assert row.f0_hop_s == 0.005
    assert row.f0_hz.dtype == np.float32


def test_a_voice_of_100_ms_has_a_pitch() -> None:
    assert pitch_of(buzz(150, 0.1)).f0_median_hz == pytest.approx(150, rel=0.01)


def test_a_batch_is_as_good_as_its_clips() -> None:
    sounds = [spoken(), buzz(90, 0.4), silence(0.2), noise(0.5)]
    together = DioAnnotator().annotate([clip_of(s) for s in sounds])
    for row, sound in zip(together, sounds, strict=True):
        alone = pitch_of(sound)
        assert np.array_equal(row.f0_hz, alone.f0_hz)
        assert row.f0_median_hz == alone.f0_median_hz


def test_a_range_without_an_octave_is_refused() -> None:
    with pytest.raises(OptionError, match="octave"):
        DioAnnotator(floor_hz=180, ceil_hz=300)


@pytest.mark.real
def test_on_a_laryngograph_gross_error_is_under_half_a_percent_and_voicing_error_under_five() -> None:
    folder = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / "fda"
    gross, voicing = [], []
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        item = json.loads(line)
        native, rate_hz = soundfile.read(folder / item["audio"], dtype="float32")
        row = pitch_of(soxr.resample(native, rate_hz, SAMPLE_RATE_HZ))
        truth = np.array(item["f0_ref_hz"])
        frames = np.rint(np.arange(len(truth)) * item["f0_frame_s"] / row.f0_hop_s).astype(int)
        found = np.where(frames < len(row.f0_hz), row.f0_hz[np.minimum(frames, len(row.f0_hz) - 1)], 0)
        both = (truth > 0) & (found > 0)
        gross.append(np.abs(found[both] / truth[both] - 1) > 0.2)
        voicing.append((truth > 0) != (found > 0))
    assert np.mean(np.concatenate(gross)) <= 0.005
    assert np.mean(np.concatenate(voicing)) < 0.05
