"""Speech as other rooms, microphones, lines and throats would have it. Drawn from one generator.

No recorded noise or impulse response is used: noise is coloured or is other clips of the training part,
rooms are noise that decays.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import fftconvolve, lfilter

from pipeline.clip import SAMPLE_RATE_HZ, Samples

with warnings.catch_warnings():  # pyworld 0.3.5 imports pkg_resources, which warns that it is old
    warnings.simplefilter("ignore")
    import pyworld

Rng = np.random.Generator
Floats = npt.NDArray[np.float64]

_BITS_PER_S = {"libopus": (8_000, 12_000, 16_000, 24_000), "libmp3lame": (16_000, 24_000, 32_000, 48_000)}
_CONTAINERS = {"libopus": "ogg", "libmp3lame": "mp3"}
_MU = 255.0


@dataclass(frozen=True, slots=True)
class Throat:
    """Another speaker: F0 and formants, each as a factor."""

    pitch: float = 1.0
    formants: float = 1.0


def elsewhere(sound: Samples, rng: Rng, babble: Sequence[Samples] = ()) -> Samples:
    """The sound after a random choice of room, microphone, noise, line and codec, at a random level."""
    heard = sound
    if rng.random() < 0.4:
        heard = _in_a_room(heard, rng)
    if rng.random() < 0.6:
        heard = _through_a_microphone(heard, rng)
    if rng.random() < 0.6:
        heard = _with_noise(heard, rng, babble)
    if rng.random() < 0.3:
        heard = _band_limited(heard, rng)
    if rng.random() < 0.3:
        heard = _coded(heard, rng)
    level = 10 ** (rng.uniform(-30, 0) / 20) / max(float(np.abs(heard).max(initial=0.0)), 1e-6)
    return (heard * level).astype(np.float32)


def revoiced(sound: Samples, f0_hz: Floats, hop_s: float, throat: Throat) -> Samples:
    """The same words at the same speed from another throat, by WORLD. Same length."""
    wave = sound.astype(np.float64)
    times_s = np.arange(len(f0_hz)) * hop_s
    envelope = pyworld.cheaptrick(wave, f0_hz, times_s, SAMPLE_RATE_HZ)
    noise = pyworld.d4c(wave, f0_hz, times_s, SAMPLE_RATE_HZ)
    made = pyworld.synthesize(
        f0_hz * throat.pitch, _stretched(envelope, throat.formants), noise, SAMPLE_RATE_HZ, 1000 * hop_s
    )
    return np.pad(made, (0, max(0, len(sound) - len(made))))[: len(sound)].astype(np.float32)


def _stretched(envelope: Floats, factor: float) -> Floats:
    """Spectral envelopes [n_frames, n_bins] with every frequency times `factor`."""
    bins = np.arange(envelope.shape[1])
    at = np.minimum(bins / factor, bins[-1])
    low = np.minimum(at.astype(np.intp), bins[-1] - 1)
    part = at - low
    logs = np.log(envelope)
    stretched: Floats = np.exp(logs[:, low] * (1 - part) + logs[:, low + 1] * part)
    return np.ascontiguousarray(stretched)


def _in_a_room(sound: Samples, rng: Rng) -> Samples:
    seconds = rng.uniform(0.1, 0.6)  # until the echo is 60 dB down
    n = round(seconds * SAMPLE_RATE_HZ)
    decay = 10 ** (-3 * np.arange(n) / n)
    echo = rng.standard_normal(n) * decay
    echo[: round(rng.uniform(0.001, 0.01) * SAMPLE_RATE_HZ)] = 0.0
    response = echo / np.sqrt((echo**2).sum()) * 10 ** (rng.uniform(-15, 0) / 20)
    response[0] = 1.0
    return np.asarray(fftconvolve(sound, response)[: len(sound)], dtype=np.float32)


def _through_a_microphone(sound: Samples, rng: Rng) -> Samples:
    """A smooth response: up to 9 dB up or down at eight places between 60 Hz and 8 kHz."""
    spectrum = np.fft.rfft(sound)
    hz = np.linspace(0, SAMPLE_RATE_HZ / 2, len(spectrum))
    places = np.geomspace(60, SAMPLE_RATE_HZ / 2, 8)
    gain_db = np.interp(np.log(hz + 1), np.log(places), np.cumsum(rng.normal(0, 2.5, 8)).clip(-9, 9))
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(sound)).astype(np.float32)


def _with_noise(sound: Samples, rng: Rng, babble: Sequence[Samples]) -> Samples:
    if len(babble) and rng.random() < 0.4:
        voices = [babble[i] for i in rng.integers(0, len(babble), 5)]
        noise = np.sum([np.resize(np.roll(v, int(rng.integers(len(v)))), len(sound)) for v in voices], axis=0)
    else:
        noise = lfilter([1.0], [1.0, -rng.uniform(0.0, 0.98)], rng.standard_normal(len(sound)))
    ratio = 10 ** (-rng.uniform(5, 35) / 20)
    scale = ratio * _rms(sound) / max(_rms(np.asarray(noise)), 1e-9)
    return np.asarray(sound + scale * noise, dtype=np.float32)


def _band_limited(sound: Samples, rng: Rng) -> Samples:
    """A telephone (300 to 3400 Hz, mu-law) half the time, else a lower sample rate."""
    telephone = rng.random() < 0.5
    rate_hz = 8_000 if telephone else int(rng.choice((8_000, 11_025, 12_000)))
    low = soxr.resample(sound, SAMPLE_RATE_HZ, rate_hz)
    if telephone:
        low = _high_passed(low, 300 / rate_hz)
        peak = max(float(np.abs(low).max(initial=0.0)), 1e-9)
        squeezed = np.sign(low) * np.log1p(_MU * np.abs(low) / peak) / np.log1p(_MU)
        steps = np.round(squeezed * 127) / 127
        low = np.sign(steps) * peak * np.expm1(np.abs(steps) * np.log1p(_MU)) / _MU
    return np.asarray(np.resize(soxr.resample(low, rate_hz, SAMPLE_RATE_HZ), len(sound)), dtype=np.float32)


def _high_passed(sound: Floats, edge: float) -> Floats:
    spectrum = np.fft.rfft(sound)
    share = np.fft.rfftfreq(len(sound)) / edge
    return np.fft.irfft(spectrum * np.clip(share**4, 0.0, 1.0), len(sound))


def _coded(sound: Samples, rng: Rng) -> Samples:
    """Through Opus or MP3 at a low rate and back, in memory. Same length."""
    codec = "libopus" if rng.random() < 0.5 else "libmp3lame"
    peak = max(float(np.abs(sound).max(initial=0.0)), 1e-9)
    file = io.BytesIO()
    with av.open(file, "w", format=_CONTAINERS[codec]) as container:
        stream = container.add_stream(codec, rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = int(rng.choice(_BITS_PER_S[codec]))
        stream.format = "flt" if codec == "libopus" else "fltp"
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound[None] / peak, np.float32), format="flt", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE_HZ
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=SAMPLE_RATE_HZ)
        for part in [*resampler.resample(frame), None]:
            container.mux(stream.encode(part))
    file.seek(0)
    with av.open(file) as container:
        back = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        parts = [p for f in container.decode(audio=0) for p in back.resample(f)] + back.resample(None)
    decoded = np.concatenate([p.to_ndarray().ravel() for p in parts])
    return np.asarray(np.resize(decoded, len(sound)) * peak, dtype=np.float32)


def _rms(sound: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
