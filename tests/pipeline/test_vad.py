"""Speech frames stand out of the noise around them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.vad import CONTEXT_S, HOP_S, HOP_SAMPLES, speech_frames
from tests.make import buzz, noise, silence, tone


def bursts(*, rms: float = 0.001, seed: int = 0) -> tuple[Samples, np.ndarray]:
    """Thirty seconds of noise with a second of voice from every third second on, and where it is."""
    sound = noise(30, rms=rms, seed=seed)
    spoken = np.zeros(3000, dtype=bool)
    for start in range(1, 30, 3):
        sound[start * SAMPLE_RATE_HZ : (start + 1) * SAMPLE_RATE_HZ] += buzz(140, 1)
        spoken[start * 100 : (start + 1) * 100] = True
    return sound, spoken


@pytest.mark.parametrize("rms", [0.0, 0.001, 0.03])
def test_voice_is_found_in_noise_within_a_few_frames(rms: float) -> None:
    sound, spoken = bursts(rms=rms)
    assert np.mean(speech_frames(sound) != spoken) < 0.06


@pytest.mark.parametrize(
    "sound", [silence(5), noise(5), tone(100, 5), np.full(80_000, 0.2, np.float32)], ids=str
)
def test_what_does_not_change_is_no_speech(sound: Samples) -> None:
    assert np.mean(speech_frames(sound)) < 0.02


@pytest.mark.parametrize("n_samples", [0, 1, HOP_SAMPLES, HOP_SAMPLES + 1, 5000])
def test_there_is_a_frame_for_every_hop_begun(n_samples: int) -> None:
    assert len(speech_frames(noise(1)[:n_samples])) == -(-n_samples // HOP_SAMPLES)


def test_a_frame_depends_on_no_sound_further_away_than_the_context() -> None:
    sound, _ = bursts()
    start_s, end_s = 1 + CONTEXT_S, 22
    piece = speech_frames(sound[SAMPLE_RATE_HZ : (end_s + CONTEXT_S) * SAMPLE_RATE_HZ])
    whole = speech_frames(sound)[round(start_s / HOP_S) : round(end_s / HOP_S)]
    assert np.array_equal(piece[round(CONTEXT_S / HOP_S) :][: len(whole)], whole)


def test_the_level_of_the_recording_does_not_matter() -> None:
    sound, _ = bursts()
    assert np.mean(speech_frames(sound) != speech_frames(sound * 0.1)) < 0.01
