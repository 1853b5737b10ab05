"""Augmented speech keeps its length, stays finite, and another throat moves what it should."""

from __future__ import annotations

import numpy as np
import pytest

from annotators.pitch.dio import HOP_S, DioAnnotator
from jobs.train._augment import Throat, elsewhere, revoiced
from pipeline.clip import Samples
from tests.jobs.train.voices import voice
from tests.make import clip_of


def f0_of(sound: Samples) -> np.ndarray:
    return DioAnnotator().annotate([clip_of(sound)])[0].f0_hz.astype(np.float64)


def centroid_hz(sound: Samples) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((power * np.fft.rfftfreq(len(sound), 1 / 16_000)).sum() / power.sum())


@pytest.mark.parametrize("seed", range(12))
def test_elsewhere_keeps_the_length_and_is_the_same_from_the_same_seed(seed: int) -> None:
    sound = voice(150, 1.0, np.random.default_rng(0))
    once = elsewhere(sound, np.random.default_rng(seed), [sound])
    again = elsewhere(sound, np.random.default_rng(seed), [sound])
    assert once.shape == sound.shape
    assert once.dtype == np.float32
    assert np.isfinite(once).all()
    assert np.abs(once).max() <= 1.0
    assert np.array_equal(once, again)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_another_throat_moves_pitch_or_formants_and_not_the_length(factor: float) -> None:
    sound = voice(160, 1.0, np.random.default_rng(0))
    f0_hz = f0_of(sound)
    higher = revoiced(sound, f0_hz, HOP_S, Throat(pitch=factor))
    longer = revoiced(sound, f0_hz, HOP_S, Throat(formants=factor))
    plain = revoiced(sound, f0_hz, HOP_S, Throat())
    assert len(higher) == len(longer) == len(sound)
    moved = np.median(f0_of(higher)[f0_of(higher) > 0]) / np.median(f0_hz[f0_hz > 0])
    assert moved == pytest.approx(factor, rel=0.03)
    assert np.median(f0_of(longer)[f0_of(longer) > 0]) == pytest.approx(np.median(f0_hz[f0_hz > 0]), rel=0.03)
    assert (centroid_hz(longer) > centroid_hz(plain)) == (factor > 1)
