"""Clips and sounds with known answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Clip, Given, Samples
from pipeline.rows import Row


def clip_of(
    samples: Samples | None = None,
    *,
    id: str = "clip",
    given: Given | None = None,
    rows: Sequence[Row] = (),
    url: str = "clip.wav",
) -> Clip:
    """A clip as an annotator is handed it."""
    listen = None if samples is None else (lambda: samples)
    return Clip(id, AudioRef(url), given or Given(), {type(r): r for r in rows}, listen)


def tone(f0_hz: float, seconds: float, *, peak: float = 0.5, rate_hz: int = SAMPLE_RATE_HZ) -> Samples:
    """A sine."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (peak * np.sin(2 * np.pi * f0_hz * t)).astype(np.float32)


def buzz(f0_hz: float, seconds: float, *, peak: float = 0.5, rate_hz: int = SAMPLE_RATE_HZ) -> Samples:
    """A voice-like sound: twenty harmonics that fall by 6 dB an octave."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 21) if f0_hz * k < rate_hz / 2)
    return np.asarray(peak * wave / np.max(np.abs(wave)), dtype=np.float32)


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), dtype=np.float32)


def noise(seconds: float, *, rms: float = 0.01, seed: int = 0) -> Samples:
    """White noise."""
    rng = np.random.default_rng(seed)
    return (rms * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32)
