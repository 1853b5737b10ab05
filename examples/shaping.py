"""What gives a synthetic voice a known trait: tempo, pitch, one stressed word, a room, noise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyworld
import soxr
from scipy import signal

Wave = npt.NDArray[np.float64]  # [n_samples]; with two channels [n_samples, 2]

FRAME_S = 0.005
RAMP_S = 0.06  # a stressed word fades in and out of its stress over this time
SPEECH_DB = 30.0  # a frame is speech if it lies within this of the loudest frame


@dataclass(frozen=True, slots=True)
class Shape:
    """Factors on tempo, pitch and vocal-tract resonances, and a gain; 1 and 0 change nothing."""

    pace: float = 1.0
    f0: float = 1.0
    formant: float = 1.0
    gain_db: float = 0.0


def random(name: str) -> np.random.Generator:
    """The same numbers for the same name, on every machine."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def reshape(wave: Wave, rate_hz: int, whole: Shape, part: Shape, span_s: tuple[float, float]) -> Wave:
    """`whole` applied everywhere and `part`, on top of it, within `span_s`; through the WORLD vocoder."""
    f0, times_s = pyworld.harvest(wave, rate_hz, frame_period=FRAME_S * 1000)
    envelope = pyworld.cheaptrick(wave, f0, times_s, rate_hz)  # [n_frames, n_bins], power
    aperiodicity = pyworld.d4c(wave, f0, times_s, rate_hz)
    inside = np.interp(times_s, [span_s[0] - RAMP_S, *span_s, span_s[1] + RAMP_S], [0, 1, 1, 0])
    f0 *= whole.f0 * part.f0**inside
    envelope *= 10 ** ((whole.gain_db + part.gain_db * inside) / 10)[:, None]
    bins = np.arange(envelope.shape[1])
    envelope = np.apply_along_axis(lambda frame: np.interp(bins / whole.formant, bins, frame), 1, envelope)
    ends = np.cumsum(1 / (whole.pace * part.pace**inside))  # [n_frames], in frames of the output
    chosen = np.searchsorted(ends, np.arange(int(ends[-1])))
    return np.asarray(
        pyworld.synthesize(
            f0[chosen],
            np.ascontiguousarray(envelope[chosen]),
            np.ascontiguousarray(aperiodicity[chosen]),
            rate_hz,
            FRAME_S * 1000,
        )
    )


def resample(wave: Wave, from_hz: int, to_hz: int) -> Wave:
    """The wave at another rate."""
    return np.asarray(soxr.resample(wave, from_hz, to_hz, quality="VHQ"), dtype=np.float64)


def band_pass(wave: Wave, rate_hz: int, low_hz: float, high_hz: float) -> Wave:
    """The wave without what a telephone drops."""
    sections = signal.butter(4, [low_hz, high_hz], "bandpass", fs=rate_hz, output="sos")
    return np.asarray(signal.sosfilt(sections, wave))


def hall(wave: Wave, rate_hz: int, rt60_s: float, seed: str) -> Wave:
    """The wave and its reverberation, 6 dB under it, in two channels that differ; [n_samples, 2]."""
    chance = random(seed)
    t = np.arange(round(rt60_s * rate_hz)) / rate_hz
    tail = chance.standard_normal((t.size, 2)) * 10 ** (-3 * t / rt60_s)[:, None]
    wet = signal.fftconvolve(wave[:, None], tail)
    dry = np.pad(wave, (0, len(wet) - wave.size))[:, None]
    return np.asarray(dry + wet * (0.5 * np.std(wave) / np.std(wet)))


def level_db(wave: Wave, rate_hz: int) -> float:
    """Level over the frames in which there is speech, dBFS: 0 is a root mean square of 1."""
    size = round(0.02 * rate_hz)
    mono = wave if wave.ndim == 1 else wave.mean(axis=1)
    power = np.mean(mono[: mono.size // size * size].reshape(-1, size) ** 2, axis=1)
    return float(10 * np.log10(np.mean(power[power > power.max() * 10 ** (-SPEECH_DB / 10)])))


def at_level(wave: Wave, rate_hz: int, dbfs: float) -> Wave:
    """The wave with its speech at that level."""
    return np.asarray(wave * 10 ** ((dbfs - level_db(wave, rate_hz)) / 20))


def room_tone(shape: tuple[int, ...], seed: str) -> Wave:
    """Noise that falls by 3 dB an octave, as a quiet room's does, with a root mean square of 1."""
    white = np.fft.rfft(random(seed).standard_normal(shape), axis=0)
    slope = 1 / np.sqrt(np.maximum(np.arange(len(white)), 1))
    pink = np.fft.irfft((white.T * slope).T, n=shape[0], axis=0)
    return np.asarray(pink / np.std(pink))


def white(n_samples: int, seed: str) -> Wave:
    """White noise."""
    return random(seed).standard_normal(n_samples)


def hum(n_samples: int, rate_hz: int) -> Wave:
    """Mains hum: 50 Hz and eleven harmonics, each weaker than the one before."""
    t = np.arange(n_samples) / rate_hz
    return np.asarray(sum(np.sin(2 * np.pi * 50 * k * t + k) / k for k in range(1, 13)))


def babble(n_samples: int, voices: Sequence[Wave], seed: str) -> Wave:
    """All voices at once, over and over, each from a place of its own."""
    chance = random(seed)
    return np.asarray(
        sum(np.resize(np.roll(v, chance.integers(v.size)), n_samples) / np.std(v) for v in voices)
    )
