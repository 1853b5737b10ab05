"""A fingerprint of sound that outlives re-encoding, another level and another sample rate.

The clip is cut into 24 pieces of equal length; in each, 24 bands between 300 and 3400 Hz. A bit is
the sign of how the step from band to band differs from piece to piece (after Haitsma and Kalker, 2002),
so neither level nor a fixed filter moves it. Two clips are alike if they are of one length
and at most MOST_APART of their bits differ.

Measured on 150 clips of real speech: the bits that differ are at most 0 (20 dB quieter), 0.15 (mp3 at
32 kbit/s), 0.20 (Opus at 16 kbit/s; mu-law at 8 kHz), 0.24 (noise at 30 dB), 0.28 (30 ms late); all these
copies are alike, and 148 to 150 of 150 share a band. Of 11,175 pairs of different clips one in 1,000
differs in less than 0.42. Raw AAC begins 0.1 s late: 110 of 150 copies are found.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from jobs.export.near import Signature
from pipeline.clip import SAMPLE_RATE_HZ, Samples

PIECES = 24
BANDS = 24
LOW_HZ, HIGH_HZ = 300.0, 3400.0
FRAME = 512
MOST_APART = 0.28
LENGTHS_APART = 0.03
"""Of the longer; codecs add up to 0.1 s."""
LENGTHS_APART_S = 0.1
BAND_BITS = 16


def fingerprint(samples: Samples) -> Signature | None:
    """The length in ms, then the bits in words of 32; None for silence or less than a frame a piece."""
    if len(samples) < FRAME * PIECES // 4 or not np.any(samples):
        return None
    power = _power(samples)
    edges = np.linspace(0, len(power), PIECES + 1).round().astype(int)
    pieces = np.stack([power[a : max(b, a + 1)].mean(axis=0) for a, b in pairwise(edges)])
    levels = np.log(pieces @ _bands().T + 1e-10 * pieces.sum())
    steps = np.diff(np.diff(levels, axis=1), axis=0) > 0
    packed = np.packbits(np.pad(steps.ravel(), (0, -steps.size % 32))).view(np.uint32)
    return np.concatenate([np.array([round(len(samples) * 1000 / SAMPLE_RATE_HZ)], np.uint32), packed])


def alike(a: Signature, b: Signature) -> bool:
    """Whether two fingerprints are of one sound."""
    longer, shorter = max(int(a[0]), int(b[0])), min(int(a[0]), int(b[0]))
    if longer - shorter > max(LENGTHS_APART * longer, LENGTHS_APART_S * 1000):
        return False
    return apart(a, b) <= MOST_APART


def apart(a: Signature, b: Signature) -> float:
    """The share of bits that differ, 0..1."""
    return float(np.bitwise_count(a[1:] ^ b[1:]).sum()) / ((PIECES - 1) * (BANDS - 1))


def bands(signature: Signature) -> list[int]:
    """33 pieces of 16 bits; one that two fingerprints share makes them candidates."""
    bits = np.unpackbits(signature[1:].view(np.uint8))[: (PIECES - 1) * (BANDS - 1)]
    usable = len(bits) // BAND_BITS * BAND_BITS
    weights = 1 << np.arange(BAND_BITS, dtype=np.int64)
    return [int(v) for v in bits[:usable].reshape(-1, BAND_BITS).astype(np.int64) @ weights]


def _power(samples: Samples) -> npt.NDArray[np.float64]:
    """The spectrum of every half-overlapping frame, [n_frames, FRAME // 2 + 1]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME)[:: FRAME // 2]
    return np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2


@cache
def _bands() -> npt.NDArray[np.float64]:
    """Triangles on the mel scale, [BANDS, FRAME // 2 + 1]."""
    low, high = (2595 * math.log10(1 + f / 700) for f in (LOW_HZ, HIGH_HZ))
    mel = np.linspace(low, high, BANDS + 2)
    hz = 700 * (10 ** (mel / 2595) - 1)
    bins = np.arange(FRAME // 2 + 1) * SAMPLE_RATE_HZ / FRAME
    rise = (bins - hz[:-2, None]) / (hz[1:-1] - hz[:-2])[:, None]
    fall = (hz[2:, None] - bins) / (hz[2:] - hz[1:-1])[:, None]
    found: npt.NDArray[np.float64] = np.maximum(0.0, np.minimum(rise, fall))
    return found
