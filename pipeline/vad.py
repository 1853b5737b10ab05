"""Where speech is: 10 ms frames that stand out of the noise around them.

The noise of a band is the 10th percentile of its power over the ten seconds around: it follows a
changing background and needs no pause longer than a closure. A frame is speech where its bands
rise above that noise by more than noise rises by chance, and by a share of what the loudest frames
around do. Gaps shorter than a closure are filled, bursts shorter than a phone are dropped.

Against the hand-marked pauses of TIMIT it misses 3 % of speech frames and takes 9 % of pause frames
for speech (clean), 10 % and 4 % with white noise at 10 dB, 21 % and 2 % at 0 dB. Babble of many
voices is speech to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft
from scipy.ndimage import binary_closing, binary_opening, uniform_filter1d

from pipeline.clip import SAMPLE_RATE_HZ, Samples

HOP_S = 0.01
HOP_SAMPLES = round(HOP_S * SAMPLE_RATE_HZ)  # frame i is samples[160 * i : 160 * (i + 1)]
CONTEXT_S = 8
"""A frame depends on no sound further away than this, so a long recording may be read in pieces
that overlap by it and start at whole seconds."""

Frames = npt.NDArray[np.bool_]  # [ceil(n_samples / HOP_SAMPLES)]
Float32s = npt.NDArray[np.float32]

_FFT = 512  # 32 ms around the centre of each hop
_WINDOW = np.hanning(_FFT + 1)[:-1].astype(np.float32)
_WINDOW /= np.sqrt(np.sum(_WINDOW**2))  # so that white noise of power p has p in every bin
_MEL_EDGES = np.linspace(2595 * np.log10(1 + 100 / 700), 2595 * np.log10(1 + 7500 / 700), 21)
_EDGES = np.round(700 * (10 ** (_MEL_EDGES / 2595) - 1) / SAMPLE_RATE_HZ * _FFT).astype(np.intp)

_BLOCK, _REACH = 100, 500  # the noise is renewed every second, from five seconds to either side
_SMOOTH = 7  # frames: shorter than a vowel; halves the spread of noise
_NOISE_PERCENTILE = 10
_POWER_FLOOR = 1e-10  # -100 dBFS, the rounding of 16-bit sound
_RISE = 0.40  # mean ln(power / noise) over bands: white, pink and hum stay under it 99 % of the time
_RISE_SHARE = 0.25  # of the rise of the loudest frames
_RANGE_DB = 25.0  # under the loudest frames: breath and room, not speech
_CLOSURE, _PHONE = 11, 7  # frames


def speech_frames(samples: Samples) -> Frames:
    """True for each 10 ms frame that holds speech; all False for silence, steady noise, steady tones."""
    if len(samples) == 0:
        return np.zeros(0, dtype=np.bool_)
    power = uniform_filter1d(band_powers(samples), _SMOOTH, axis=0, mode="nearest")
    noise = np.maximum(_around(power, _NOISE_PERCENTILE), _POWER_FLOOR)
    rise = np.log(np.maximum(power / noise, 1.0)).mean(axis=1)
    level_db = 10 * np.log10(power.sum(axis=1) + _POWER_FLOOR)
    loud = level_db > _around(level_db, 95) - _RANGE_DB
    return _tidy((rise > np.maximum(_RISE, _RISE_SHARE * _around(rise, 95))) & loud)


def band_powers(samples: Samples) -> Float32s:
    """Mean power per bin in 20 mel bands from 100 to 7500 Hz, [n_frames, 20]."""
    n_frames = -(-len(samples) // HOP_SAMPLES)
    margin = (_FFT - HOP_SAMPLES) // 2
    padded = np.zeros(n_frames * HOP_SAMPLES + 2 * margin, dtype=np.float32)
    padded[margin : margin + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP_SAMPLES]
    spectrum = rfft(frames * _WINDOW, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bands = np.add.reduceat(power, _EDGES, axis=1)[:, :-1] / np.diff(_EDGES)
    return np.asarray(bands, dtype=np.float32)


def _around(values: Float32s, percentile: float) -> Float32s:
    """The percentile over the frames around each frame, renewed every `_BLOCK` frames; same shape."""
    found = np.empty_like(values)
    for start in range(0, len(values), _BLOCK):
        near = values[max(0, start - _REACH) : start + _BLOCK + _REACH]
        found[start : start + _BLOCK] = np.percentile(near, percentile, axis=0)
    return found


def _tidy(frames: Frames) -> Frames:
    """The frames with short gaps filled, then short bursts dropped."""
    padded = np.pad(frames, _CLOSURE)
    closed = binary_closing(padded, np.ones(_CLOSURE, dtype=np.bool_))
    return np.asarray(
        binary_opening(closed, np.ones(_PHONE, dtype=np.bool_))[_CLOSURE:-_CLOSURE], dtype=np.bool_
    )
