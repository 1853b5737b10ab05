"""The log-mel spectrum that the project's own small models share: computed once a clip."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.rows import Pitch

N_BANDS = 64
HOP = 160  # samples: 10 ms
WINDOW = 400  # samples: 25 ms
N_FFT = 512
LOW_HZ, HIGH_HZ = 60.0, 7600.0
_QUIET = 1e-6
FLOOR = 1e-8  # power of a frame 80 dB under a full-scale sine in one band

Mel = npt.NDArray[np.float32]  # [n_frames, N_BANDS], natural logarithm of power


def log_mel(samples: Samples) -> Mel:
    """The log-mel spectrum of 16 kHz mono samples: frame i is centred on sample i * HOP.

    Hann window of 25 ms, HTK mel scale, triangles from 60 to 7600 Hz. At least one frame.
    """
    padded = np.pad(np.asarray(samples, np.float32), (WINDOW // 2, WINDOW // 2 + HOP - 1))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]  # [n_frames, WINDOW]
    spectrum = np.fft.rfft(frames * _window(), N_FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    found: Mel = np.log(power @ _bands() + np.float32(FLOOR))
    return found


def levelled(mel: Mel) -> Mel:
    """A log-mel spectrum over the mean power of its own frames: the gain of a recording is gone.

    What is 60 dB under that mean, in one band, is silence.
    """
    power = np.maximum(np.exp(mel) - np.float32(FLOOR), 0.0)
    mean = max(float(power.sum(1).mean()), FLOOR)
    found: Mel = np.log(power / np.float32(mean) + np.float32(_QUIET))
    return found


def heard(samples: Samples, pitch: Pitch | None, max_s: float) -> dict[str, Mel]:
    """What a network hears of a clip, or of the middle of a long one: `mel`, levelled, and its `f0_hz`.

    F0 is 0 where unvoiced, past the end of the contour, and everywhere without a Pitch.
    """
    most = round(max_s * SAMPLE_RATE_HZ)
    skipped = max(0, len(samples) - most) // 2 // HOP
    mel = levelled(log_mel(samples[skipped * HOP : skipped * HOP + most]))
    f0_hz = np.zeros(len(mel), np.float32)
    if pitch is not None:
        step = round(HOP / SAMPLE_RATE_HZ / pitch.f0_hop_s)
        contour = pitch.f0_hz[::step][skipped : skipped + len(mel)]
        f0_hz[: len(contour)] = contour
    return {"mel": mel, "f0_hz": f0_hz}


@cache
def _window() -> npt.NDArray[np.float32]:
    return (np.hanning(WINDOW + 1)[:-1] / (WINDOW / 2)).astype(np.float32)


@cache
def _bands() -> npt.NDArray[np.float32]:
    """Triangles on the mel scale [N_FFT // 2 + 1, N_BANDS], each of height 1."""

    def mel(hz: float) -> float:
        return 2595.0 * float(np.log10(1.0 + hz / 700.0))

    edges = 700.0 * (10.0 ** (np.linspace(mel(LOW_HZ), mel(HIGH_HZ), N_BANDS + 2) / 2595.0) - 1.0)
    hz = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE_HZ / N_FFT
    rising = (hz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hz[:, None]) / np.diff(edges)[1:]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
