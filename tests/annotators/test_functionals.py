"""What sums up a clip is finite whatever the sound, says nothing of its level, and follows what is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators._functionals import functionals
from annotators._mel import N_BANDS, heard, levelled, log_mel
from annotators.pitch.dio import DioAnnotator
from pipeline.clip import Samples
from pipeline.rows import Pitch
from tests.make import buzz, clip_of, noise, silence, tone

LENGTH = 186


def pitch_of(sound: Samples) -> Pitch:
    return DioAnnotator().annotate([clip_of(sound)])[0]


def summed_up(sound: Samples) -> np.ndarray:
    found = heard(sound, pitch_of(sound), 20.0)
    return functionals(found["mel"], found["f0_hz"])


@pytest.mark.parametrize(
    "sound",
    [
        silence(1),
        noise(0.05),
        tone(300, 0.3),
        buzz(120, 2.0),
        np.ones(3, np.float32),
        np.zeros(1, np.float32),
    ],
    ids=["silence", "click", "tone", "voice", "constant", "sample"],
)
def test_it_is_finite_and_of_one_length(sound: Samples) -> None:
    vector = summed_up(sound)
    assert vector.shape == (LENGTH,)
    assert np.isfinite(vector).all()


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_it_is_finite_for_any_frames(n_frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mel = rng.normal(-8, 6, (n_frames, N_BANDS)).astype(np.float32)
    f0_hz = rng.uniform(60, 400, n_frames) * (rng.random(n_frames) < 0.5)
    assert np.isfinite(functionals(mel, f0_hz)).all()


def test_the_level_of_a_recording_says_nothing() -> None:
    sound = buzz(150, 1.5) * np.repeat([1.0, 0.3, 0.8], 8000).astype(np.float32)
    loud, soft = summed_up(sound), summed_up(0.1 * sound)
    assert loud == pytest.approx(soft, abs=0.05)


def test_silence_around_changes_little() -> None:
    sound = buzz(150, 1.0)
    padded = np.concatenate([silence(0.5), sound, silence(0.5)])
    assert np.median(np.abs(summed_up(padded) - summed_up(sound))) < 0.05


def test_a_higher_voice_has_a_higher_mean_pitch() -> None:
    assert summed_up(buzz(240, 1.0))[0] - summed_up(buzz(120, 1.0))[0] == pytest.approx(12, abs=0.2)


def test_of_a_long_clip_the_middle_is_heard_and_f0_is_of_the_same_frames() -> None:
    sound = np.concatenate([silence(2), buzz(200, 1.0), silence(2)])
    found = heard(sound, pitch_of(sound), 1.0)
    assert found["mel"].shape == (101, N_BANDS)
    assert np.array_equal(found["mel"], levelled(log_mel(sound[2 * 16_000 : 3 * 16_000])))
    assert (found["f0_hz"] > 0).mean() > 0.9


def test_without_a_pitch_nothing_is_voiced() -> None:
    assert not heard(buzz(200, 0.5), None, 20.0)["f0_hz"].any()
