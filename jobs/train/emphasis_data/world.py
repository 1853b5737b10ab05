"""One word of a recording stressed by WORLD: its pitch, level and length raised, all else as it was.

The envelope and the aperiodicity of every frame stay. Changes fade in and out inside the word, so that
no other word is touched; what a fade takes from the word's mean is made up for in its middle. The level
of every frame is then brought to that of the recording, which WORLD alone misses by 1 dB at onsets.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

with warnings.catch_warnings():  # pyworld imports pkg_resources, which warns that it is old
    warnings.simplefilter("ignore")
    import pyworld

Doubles = npt.NDArray[np.float64]

HOP_S = 0.005
"""Between two frames, as `pitch=dio` has it."""
LOWEST_HZ = 16_000
"""Below it WORLD's D4C reads past its spectrum, up to 7.9 kHz, and no two runs are alike."""
FADE_S = 0.03
"""Of pitch and level at either edge of a word; at most a quarter of the word."""
_LEVEL_S = 0.008  # deviation of the window levels are compared in
_QUIET = 5  # percentile of frame levels that a pause is filled from
_MAX_CORRECTION = 4.0  # of amplitude: a click is not made speech
_PASSES = 3  # of levelling: each brings the level of every word nearer
_KNEE = 0.85
_TINY = 1e-10


@dataclass(frozen=True, slots=True)
class Stress:
    """How a word is to differ: factors of F0, amplitude and length; pauses before and after it in s."""

    pitch: float = 1.0
    amplitude: float = 1.0
    duration: float = 1.0
    pause_before_s: float = 0.0
    pause_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """A recording taken apart, frame i at `i * HOP_S`."""

    sound: Doubles  # [n_samples]
    rate_hz: int
    f0_hz: Doubles  # [n_frames], 0 where unvoiced
    envelope: Doubles  # [n_frames, n_bins], power
    aperiodicity: Doubles  # [n_frames, n_bins], 0..1

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return len(self.sound) / self.rate_hz


@dataclass(frozen=True, slots=True)
class Timing:
    """Where every frame of the new recording lies in the old one; NaN in a pause that was put in."""

    source_s: Doubles  # [n_frames]
    inside: Doubles  # [n_frames], 0..1: how far inside the word, its fades counted
    seconds: float

    def pauses(self) -> npt.NDArray[np.bool_]:
        """The frames that were put in."""
        return np.isnan(self.source_s)


def analyse(sound: Doubles, rate_hz: int, f0_hz: Doubles) -> Analysis:
    """Take a recording of at least LOWEST_HZ apart. `f0_hz`, every `HOP_S`, is fitted to its frames."""
    sound = np.ascontiguousarray(sound, np.float64)
    n_frames = int(len(sound) / rate_hz / HOP_S) + 1
    f0 = np.zeros(n_frames)
    f0[: min(n_frames, len(f0_hz))] = f0_hz[:n_frames]
    times = np.arange(n_frames) * HOP_S
    envelope = pyworld.cheaptrick(sound, f0, times, rate_hz)
    aperiodicity = pyworld.d4c(sound, f0, times, rate_hz)
    return Analysis(sound, rate_hz, f0, envelope, aperiodicity)


def timing(seconds: float, start_s: float, end_s: float, stress: Stress) -> Timing:
    """The frames of a recording in which the word from `start_s` to `end_s` is stressed.

    Inside the word the pace changes over its fades and is even between; outside it is that of before.
    """
    length = (end_s - start_s) * stress.duration
    begin = start_s + stress.pause_before_s
    total = seconds + length - (end_s - start_s) + stress.pause_before_s + stress.pause_after_s
    at: Doubles = np.arange(int(total / HOP_S) + 1).astype(np.float64) * HOP_S
    into: Doubles = np.asarray((at - begin) / length, np.float64)
    inside = (into >= 0) & (into <= 1)
    fade = min(FADE_S, length / 4) / length
    ramp = np.clip(np.minimum(into, 1 - into) / fade, 0.0, 1.0) * inside
    source = np.where(into > 1, at - begin - length - stress.pause_after_s + end_s, at)
    source = np.where(inside, start_s + (end_s - start_s) * _eased(into, stress.duration, fade), source)
    before = (at > start_s) & (at < begin) if stress.pause_before_s else np.zeros(len(at), bool)
    after = (into > 1) & (at < begin + length + stress.pause_after_s)
    source = np.where(before | after, np.nan, np.clip(source, 0.0, seconds))
    return Timing(source, np.sin(ramp * np.pi / 2) ** 2, total)


def _eased(into: Doubles, duration: float, fade: float) -> Doubles:
    """How much of the old word has passed at a share of the new one: at its edges the pace is the old one."""
    into = np.clip(into, 0.0, 1.0)
    edge = duration  # d(old share) / d(new share) at the old pace
    middle = (1 - fade * edge) / (1 - fade)  # so that all of the word has passed at its end
    knots = np.linspace(0.0, 1.0, 257)
    pace = middle + (edge - middle) * np.clip(1 - np.minimum(knots, 1 - knots) / fade, 0.0, 1.0)
    passed = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2)])
    return np.asarray(np.interp(into, knots, passed / passed[-1]))


def stressed(analysis: Analysis, start_s: float, end_s: float, stress: Stress) -> tuple[Doubles, Timing]:
    """The recording with the word stressed, and where its frames come from."""
    frames = timing(analysis.seconds, start_s, end_s, stress)
    f0, envelope, aperiodicity = _picked(analysis, frames)
    f0 = f0 * _raised(frames.inside, f0 > 0, stress.pitch)
    sound = pyworld.synthesize(f0, envelope, aperiodicity, analysis.rate_hz, 1000 * HOP_S)
    n = round(frames.seconds * analysis.rate_hz)
    sound = np.pad(sound, (0, max(0, n - len(sound))))[:n]
    wanted = _wanted(analysis, frames, stress.amplitude)
    for _ in range(_PASSES):
        sound = _levelled(sound, wanted, analysis.rate_hz)
    return _limited(sound), frames


def _levelled(sound: Doubles, wanted: Doubles, rate_hz: int) -> Doubles:
    """The sound with the power around every frame brought to what is wanted there."""
    have = _levels(sound, rate_hz, len(wanted))
    gain = np.clip(np.sqrt((wanted + _TINY) / (have + _TINY)), 1 / _MAX_CORRECTION, _MAX_CORRECTION)
    at = np.arange(len(sound)) / rate_hz / HOP_S
    return np.asarray(sound * np.interp(at, np.arange(len(gain)), gain))


def _limited(sound: Doubles) -> Doubles:
    """Peaks above the knee bent to stay under 1: WORLD's phases pile up where the recording's did not."""
    over = np.abs(sound) > _KNEE
    bent = _KNEE + (1 - _KNEE) * np.tanh((np.abs(sound[over]) - _KNEE) / (1 - _KNEE))
    limited = sound.copy()
    limited[over] = np.sign(sound[over]) * bent
    return limited


def _picked(analysis: Analysis, frames: Timing) -> tuple[Doubles, Doubles, Doubles]:
    """F0, envelope and aperiodicity of every new frame; pauses are as the quietest of the recording."""
    last = len(analysis.f0_hz) - 1
    pauses = frames.pauses()
    at = np.where(pauses, 0.0, frames.source_s) / HOP_S
    low = np.minimum(np.floor(at).astype(np.intp), last)
    high, share = np.minimum(low + 1, last), (at - low)[:, None]
    envelope = np.exp((1 - share) * np.log(analysis.envelope[low]) + share * np.log(analysis.envelope[high]))
    aperiodicity = (1 - share) * analysis.aperiodicity[low] + share * analysis.aperiodicity[high]
    one, two = analysis.f0_hz[low], analysis.f0_hz[high]
    nearest = np.where(share[:, 0] < 0.5, one, two)
    f0 = np.where((one > 0) & (two > 0), (1 - share[:, 0]) * one + share[:, 0] * two, nearest)
    level = analysis.envelope.sum(axis=1)
    quiet = analysis.envelope[level <= np.percentile(level, _QUIET)].mean(axis=0)
    envelope[pauses], aperiodicity[pauses], f0[pauses] = quiet, 1.0, 0.0
    return f0, np.ascontiguousarray(envelope), np.ascontiguousarray(aperiodicity)


def _raised(inside: Doubles, voiced: npt.NDArray[np.bool_], factor: float) -> Doubles:
    """The factor of F0 in every frame: `factor` on the geometric mean over the word's voiced frames."""
    share = inside[voiced & (inside > 0)]
    if not len(share) or share.mean() < _TINY:
        return np.ones(len(inside))
    return np.asarray(np.exp(inside * np.log(factor) / share.mean()))


def _wanted(analysis: Analysis, frames: Timing, amplitude: float) -> Doubles:
    """The power every frame is to have: that of the recording there, raised over the word."""
    levels = _levels(analysis.sound, analysis.rate_hz, len(analysis.f0_hz))
    at = np.where(frames.pauses(), 0.0, frames.source_s) / HOP_S
    power = np.interp(at, np.arange(len(levels)), levels)
    inside, old = frames.inside, power * (frames.inside > 0)
    raised = np.square(1 + inside * _depth(old, inside, amplitude))
    power[frames.pauses()] = np.percentile(levels, _QUIET)
    return np.asarray(power * raised)


def _depth(power: Doubles, inside: Doubles, amplitude: float) -> float:
    """d such that amplitudes times 1 + d * inside raise the word's power by `amplitude` squared."""
    total = power.sum()
    if total < _TINY:
        return amplitude - 1
    first, second = (power * inside).sum() / total, (power * inside**2).sum() / total
    return float((np.sqrt(first**2 + second * (amplitude**2 - 1)) - first) / max(second, _TINY))


def _levels(sound: Doubles, rate_hz: int, n_frames: int) -> Doubles:
    """Power around every frame."""
    smooth = gaussian_filter1d(np.square(sound), _LEVEL_S * rate_hz, mode="constant", truncate=3.0)
    centres = np.minimum(np.rint(np.arange(n_frames) * HOP_S * rate_hz).astype(np.intp), len(sound) - 1)
    return np.asarray(smooth[centres])
