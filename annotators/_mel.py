"""The log-mel spectrum that the project's own small models share: computed once a clip."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.clip import SAMPLE_RATE_HZ, Samples

N_BANDS = 64
HOP = 160  # samples: 10 ms
WINDOW = 400  # samples: 25 ms
N_FFT = 512
LOW_HZ, HIGH_HZ = 60.0, 7600.0
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
