"""Syllables found by ear alone: where a text's syllables lie when no dictionary fits.

Nuclei are voiced peaks of the envelope that stand out of their surroundings by 1 dB and lie no more than
30 dB under the loudest (after de Jong & Wempe 2009). The text's syllables are then laid over the time of
speech so that each has one nucleus, a like length, and its ends in the dips between nuclei.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, find_peaks, sosfiltfilt

from pipeline.clip import SAMPLE_RATE_HZ, Samples

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOP_S = 0.01
_HOP = round(HOP_S * SAMPLE_RATE_HZ)
_BAND_HZ = (200.0, 3500.0)  # vowels; not hum, not friction
_SMOOTH = 5  # frames: 50 ms, shorter than any syllable
_RANGE_DB = 30.0
_PROMINENCE_DB = 1.0
_PERIODS_S = (1 / 400, 1 / 70)
_VOICED = 0.4  # least autocorrelation at the period of a voiced frame
_ONSET = 2  # frames: consonants belong to the vowel that follows, so a syllable begins before its dip
_MIN_PAUSE = 15  # frames: 150 ms
_WINDOW = 640  # samples: 40 ms, two periods of the lowest voice
_SPREAD = 300  # frames a syllable may lie from where an even pace would put it: 3 s


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the ear finds: level of every frame, which frames are speech, and the frames of nuclei."""

    level_db: Doubles  # [n_frames], 0 is the loudest
    speech: Ints  # [n_speech_frames], ascending
    nuclei: Ints  # [n_nuclei], ascending


def rhythm(sound: Samples) -> Rhythm:
    """Frame i covers `i * HOP_S` to `(i + 1) * HOP_S`. No speech in digital silence."""
    n_frames = len(sound) // _HOP
    nothing = np.empty(0, dtype=np.int64)
    if n_frames == 0 or not np.any(sound):
        return Rhythm(np.zeros(n_frames), nothing, nothing)
    sos = butter(2, _BAND_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    heard = sosfiltfilt(sos, sound.astype(np.float64) / float(np.max(np.abs(sound))))
    power = np.square(heard[: n_frames * _HOP]).reshape(n_frames, _HOP).mean(axis=1)
    window = np.hanning(_SMOOTH + 2)[1:-1]
    smooth = np.convolve(power, window / window.sum(), mode="same")
    level = 10 * np.log10(smooth / smooth.max() + 1e-10)
    loud = level > -_RANGE_DB
    peaks, _ = find_peaks(level, height=-_RANGE_DB, prominence=_PROMINENCE_DB)
    nuclei = peaks[_periodicity(heard, peaks) >= _VOICED]
    return Rhythm(level, np.flatnonzero(_bridged(loud)), nuclei.astype(np.int64))


def _bridged(loud: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The same, with gaps too short for a pause filled."""
    filled = loud.copy()
    on = np.flatnonzero(loud)
    for before, after in pairwise(on):
        if after - before <= _MIN_PAUSE:
            filled[before:after] = True
    return filled


def _periodicity(heard: Doubles, frames: npt.NDArray[np.intp]) -> Doubles:
    """Highest normalised autocorrelation at a period of the voice, for each frame asked for."""
    padded = np.pad(heard, _WINDOW)
    starts = frames * _HOP + _HOP // 2 - _WINDOW // 2 + _WINDOW
    pieces = padded[starts[:, None] + np.arange(_WINDOW)]
    spectrum = np.fft.rfft(pieces, 2 * _WINDOW)
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[:, :_WINDOW]
    low, high = (round(p * SAMPLE_RATE_HZ) for p in _PERIODS_S)
    taper = 1 - np.arange(low, high) / _WINDOW
    energy = np.maximum(correlation[:, :1], 1e-20)
    best: Doubles = (correlation[:, low:high] / taper / energy).max(axis=1)
    return best


def spread(heard: Rhythm, n: int) -> list[tuple[float, float]]:
    """Start and end in seconds of `n` syllables, in order, from first to last frame of speech."""
    frames = heard.speech
    if 2 * n > len(frames):
        cuts: Doubles = np.linspace(0, len(frames), n + 1)
    else:
        cuts = _cuts(heard, n).astype(np.float64)
    whole = np.minimum(cuts.astype(np.int64), len(frames) - 1)
    starts = (frames[whole] + (cuts - whole)) * HOP_S
    last = np.maximum(np.ceil(cuts[1:]).astype(np.int64) - 1, 0)
    ends = (frames[last] + (cuts[1:] - last)) * HOP_S
    return [(float(a), float(max(a, b))) for a, b in zip(starts[:-1], ends, strict=True)]


def _cuts(heard: Rhythm, n: int) -> Ints:
    """Where among the frames of speech syllables begin and end, [n + 1], by dynamic programming."""
    frames = heard.speech
    n_frames = len(frames)
    mean = n_frames / n
    longest = min(n_frames, int(4 * mean) + 2)
    nuclei_before = np.searchsorted(heard.nuclei, np.append(frames, frames[-1] + 1))  # [n_frames + 1]
    at_pause = np.append(np.diff(frames) > 1, True)
    dip = np.clip(1 + heard.level_db[frames] / _RANGE_DB, 0, 1)  # 1: loudest, 0: a pause
    dip = np.append(dip[_ONSET:], np.zeros(min(_ONSET, n_frames)))[:n_frames]
    dip[at_pause] = -1.0
    lengths = np.arange(1, longest + 1)
    length_cost = np.square(np.log(lengths / mean))
    best = np.full(n_frames + 1, np.inf)
    best[0] = 0.0
    back = np.zeros((n, n_frames + 1), dtype=np.int32)
    for k in range(n):
        low = max(k + 1, int((k + 1) * mean) - _SPREAD)
        high = min(n_frames - (n - 1 - k), int((k + 1) * mean) + _SPREAD)
        ends = np.arange(low, high + 1)
        starts = ends[:, None] - lengths  # [n_ends, n_lengths]
        inside = nuclei_before[ends][:, None] - nuclei_before[np.maximum(starts, 0)]
        cost = np.where(starts >= 0, best[np.maximum(starts, 0)], np.inf) + length_cost + np.abs(inside - 1)
        choice = cost.argmin(axis=1)
        best = np.full(n_frames + 1, np.inf)
        best[ends] = cost[np.arange(len(ends)), choice] + dip[ends - 1]
        back[k, ends] = lengths[choice]
    cuts = np.empty(n + 1, dtype=np.int64)
    cuts[n] = n_frames
    for k in range(n - 1, -1, -1):
        cuts[k] = cuts[k + 1] - back[k, cuts[k + 1]]
    return cuts
