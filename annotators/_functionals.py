"""What sums up a voice and how it speaks: prosody, level and spectrum as one vector, as in eGeMAPS.

Everything is relative to the clip's own level, so that a recording's gain says nothing. Silence before
and after is cut off, pauses stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from annotators._mel import HIGH_HZ, LOW_HZ, N_BANDS, Mel
from pipeline.clip import SAMPLE_RATE_HZ

FRAMES_PER_S = 100.0
N_CEPSTRA = 14

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_QUIET = 6.9  # nepers of power under the loud frames, 30 dB: before and after that nobody speaks
_FLOOR = -11.0  # under the mean power of voiced frames
_LOUDNESS = 0.3  # Stevens' exponent of power
_SEMITONES_OVER_HZ = 100.0
_N_FFT = 512  # frames: 5 s of a contour
_LOUDNESS_BEATS = ((0.5, 2), (2, 4), (4, 6), (6, 9), (9, 14), (14, 30))  # Hz; syllables come at 4 to 6
_PITCH_BEATS = ((0.3, 1), (1, 2), (2, 4), (4, 7), (7, 12), (12, 25))
_SLOPES_HZ = ((60, 500), (500, 1500), (1500, 5000))


@dataclass(frozen=True, slots=True)
class _Said:
    """The part of a clip between its first and its last loud frame. All of n_frames."""

    bands: Floats  # [n_frames, N_BANDS], log power over the mean power of voiced frames
    energy: Floats  # log of the power of all bands
    loudness: Floats
    voiced: Flags
    semitones: Floats  # over 100 Hz; nothing where unvoiced
    active: Flags


def functionals(mel: Mel, f0_hz: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """The vector of a log-mel [n_frames, N_BANDS] and an F0 contour [n_frames], 0 where unvoiced.

    Finite for any sound, silence too; what a clip has too little of is 0.
    """
    said = _said(mel.astype(np.float64), np.asarray(f0_hz, np.float64))
    groups = (_pitch(said), _loudness(said), _rhythm(said), _cepstra(said), _tilt(said), _bands(said))
    vector = np.array([value for group in groups for value in group], np.float32)
    return np.nan_to_num(vector, nan=0.0, posinf=0.0, neginf=0.0)


def _said(mel: Floats, f0_hz: Floats) -> _Said:
    energy = np.log(np.exp(mel).sum(1) + 1e-9)
    active = energy > np.percentile(energy, 95) - _QUIET
    places = np.flatnonzero(active)
    part = slice(places[0], places[-1] + 1) if len(places) else slice(0, 1)
    mel, f0_hz, energy, active = mel[part], f0_hz[part], energy[part], active[part]
    voiced = f0_hz > 0
    power = np.exp(energy[voiced] if voiced.any() else energy).mean()
    bands = mel - np.log(power)
    semitones = 12 * np.log2(np.where(voiced, f0_hz, _SEMITONES_OVER_HZ) / _SEMITONES_OVER_HZ)
    return _Said(bands, energy, np.exp(_LOUDNESS * bands).sum(1), voiced, semitones, active)


def _pitch(said: _Said) -> Iterator[float]:
    """Height, range, slopes, unsteadiness, trend and beats of F0, and its shape in thirds."""
    sung, places = said.semitones[said.voiced], np.flatnonzero(said.voiced)
    yield from _spread(sung)
    yield sung.mean() - np.median(sung) if len(sung) else 0.0
    steps = np.diff(said.semitones)[said.voiced[1:] & said.voiced[:-1]]
    yield from _slopes(steps)
    yield _deviation(steps)
    yield _mean(np.abs(steps))
    yield _mean(np.abs(np.diff(steps)))
    yield float(np.polyfit(places / FRAMES_PER_S, sung, 1)[0]) if len(sung) > 5 else 0.0
    quarter = max(1, len(sung) // 4)
    yield _mean(sung[-quarter:]) - _mean(sung[:quarter])
    yield from _pitch_beats(places, sung)
    for part in _thirds(len(said.voiced)):
        yield _mean(said.semitones[part][said.voiced[part]], sung.mean() if len(sung) else 0.0) - _mean(sung)


def _pitch_beats(places: npt.NDArray[np.intp], sung: Floats) -> list[float]:
    if len(places) <= 5:
        return [0.0] * len(_PITCH_BEATS)
    line = np.interp(np.arange(places[0], places[-1] + 1), places, sung)
    hz, power = _beats(line)
    return [float(np.log(power[(hz >= low) & (hz < high)].mean() + 1e-2)) for low, high in _PITCH_BEATS]


def _loudness(said: _Said) -> Iterator[float]:
    """Range, slopes and beats of loudness, its peaks a second, and its shape in thirds."""
    loud = said.loudness
    yield from _spread(loud)
    yield from _slopes(np.diff(loud))
    smooth = np.convolve(loud, np.ones(5) / 5, "same")
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] > smooth[2:]) & (smooth[1:-1] > 0.6 * smooth.mean())
    yield float(peaks.sum()) * FRAMES_PER_S / len(loud)
    hz, power = _beats(loud)
    total = power[(hz > 0.5) & (hz < 30)].sum() + 1e-9
    for low, high in _LOUDNESS_BEATS:
        yield float(np.log(power[(hz >= low) & (hz < high)].sum() / total + 1e-4))
    for part in _thirds(len(loud)):
        yield _mean(said.energy[part], said.energy.mean()) - said.energy.mean()
    sung = said.semitones[said.voiced]
    with np.errstate(invalid="ignore", divide="ignore"):
        together = np.corrcoef(sung, said.energy[said.voiced])[0, 1] if len(sung) > 5 else 0.0
    yield float(np.nan_to_num(together))


def _rhythm(said: _Said) -> Iterator[float]:
    """Voiced and unvoiced stretches a second and their lengths, the shares of both, and the duration."""
    voiced, unvoiced = _runs(said.voiced), _runs(~said.voiced)
    yield len(voiced) * FRAMES_PER_S / len(said.voiced)
    yield from (_mean(voiced), _deviation(voiced), _mean(unvoiced), _deviation(unvoiced))
    yield from (float(said.voiced.mean()), float(said.active.mean()), float(np.log(len(said.voiced))))


def _cepstra(said: _Said) -> Iterator[float]:
    """Mean and deviation of cepstra of voiced and of unvoiced frames, and how fast they change."""
    cepstra = np.asarray(dct(said.bands, norm="ortho", axis=1)[:, :N_CEPSTRA])
    for frames in (said.voiced, ~said.voiced & said.active):
        chosen = cepstra[frames] if frames.any() else np.zeros((1, N_CEPSTRA))
        yield from chosen.mean(0)
        yield from chosen.std(0)
    changes = np.abs(np.diff(cepstra, axis=0)) if len(cepstra) > 1 else np.zeros((1, N_CEPSTRA))
    yield from changes.mean(0)
    flux = np.sqrt((np.diff(np.exp(_LOUDNESS * said.bands), axis=0) ** 2).sum(1))
    yield from (_mean(flux), _deviation(flux))


def _tilt(said: _Said) -> Iterator[float]:
    """How the spectrum of voiced frames falls: alpha ratio, Hammarberg index, slopes, and its shape."""
    bands = said.bands[said.voiced] if said.voiced.any() else said.bands
    power, hz = np.exp(bands), _centres_hz()
    ratio = np.log(power[:, (hz >= 1000) & (hz < 5000)].sum(1) / power[:, hz < 1000].sum(1))
    upper = (hz >= 2000) & (hz < 5000)
    peak = np.log(power[:, hz < 2000].max(1) / power[:, upper].max(1))
    yield from (ratio.mean(), ratio.std(), peak.mean(), peak.std())
    for low, high in _SLOPES_HZ:
        within = (hz > low) & (hz < high)
        away = hz[within] - hz[within].mean()
        slope = (bands[:, within] @ away) / (away @ away) * 1000
        yield from (slope.mean(), slope.std())
    yield from np.log(power.mean(0)).reshape(16, -1).mean(1)


def _bands(said: _Said) -> Iterator[float]:
    """Deviation of sixteen bands, and of their change."""
    bands = np.maximum(said.bands, _FLOOR).reshape(len(said.bands), 16, -1).mean(2)
    yield from bands.std(0)
    changes = bands[2:] - bands[:-2] if len(bands) > 2 else np.zeros((1, 16))
    yield from changes.std(0)


def _spread(values: Floats) -> list[float]:
    if not len(values):
        return [0.0] * 7
    p10, p25, p50, p75, p90 = np.percentile(values, (10, 25, 50, 75, 90)).tolist()
    return [float(values.mean()), float(values.std()), p10, p50, p90, p90 - p10, p75 - p25]


def _slopes(steps: Floats) -> list[float]:
    """Mean and deviation of rises and of falls, per frame."""
    up, down = steps[steps > 0], steps[steps < 0]
    return [_mean(up), _deviation(up), _mean(down), _deviation(down)]


def _beats(contour: Floats) -> tuple[Floats, Floats]:
    """The power spectrum of at most 5 s of a contour without its mean, and the frequencies in Hz."""
    piece = (contour - contour.mean())[:_N_FFT]
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), _N_FFT)) ** 2
    return np.arange(len(power)) * FRAMES_PER_S / _N_FFT, power


def _runs(flags: Flags) -> Floats:
    """The lengths of the stretches that are true, in frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return (edges[1::2] - edges[::2]).astype(np.float64)


def _thirds(n_frames: int) -> list[slice]:
    return [slice(a, b) for a, b in pairwise(n_frames * k // 3 for k in range(4))]


def _centres_hz() -> Floats:
    """The middle of each band of the log-mel."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, min(HIGH_HZ, SAMPLE_RATE_HZ / 2)))
    centres: Floats = 700 * (10 ** (np.linspace(low, high, N_BANDS + 2)[1:-1] / 2595) - 1)
    return centres


def _mean(values: Floats, otherwise: float = 0.0) -> float:
    return float(values.mean()) if len(values) else float(otherwise)


def _deviation(values: Floats) -> float:
    return float(values.std()) if len(values) else 0.0
