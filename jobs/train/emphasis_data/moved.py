"""How far pitch, level and length of words are from where they were: what was asked for is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.train.emphasis_data.world import HOP_S, Doubles
from pipeline.errors import ClipError

TOLERANCE = 0.10
"""How far a stressed word may be from what was asked for."""
_FEWEST_VOICED = 6  # frames: 30 ms; the F0 of fewer says nothing
_OCTAVE = 1.4  # a frame this far from the word's median is another octave


@dataclass(frozen=True, slots=True)
class Measure:
    """Of one word. `f0_hz` is NaN where too little of it is voiced."""

    f0_hz: float
    rms: float


def measured(
    sound: Doubles, rate_hz: int, f0_hz: Doubles, spans: Sequence[tuple[float, float]]
) -> list[Measure]:
    """F0 (geometric mean over voiced frames, strays of another octave left out) and level of each word."""
    return [_measure(sound[round(a * rate_hz) : round(b * rate_hz)], _frames(f0_hz, a, b)) for a, b in spans]


def check(before: Measure, after: Measure, pitch: float, amplitude: float) -> None:
    """ClipError `not_moved` where a word's pitch or level is not within TOLERANCE of what was asked for."""
    for name, asked, found in (
        ("pitch", pitch, after.f0_hz / before.f0_hz),
        ("level", amplitude, after.rms / max(before.rms, 1e-9)),
    ):
        if abs(found / asked - 1) > TOLERANCE:  # NaN is neither: an unvoiced word has no pitch to move
            raise ClipError(
                "not_moved", f"The {name} of the word was to change by {asked:.2f} and did by {found:.2f}."
            )


def _frames(f0_hz: Doubles, start_s: float, end_s: float) -> Doubles:
    return f0_hz[round(start_s / HOP_S) : round(end_s / HOP_S)]


def _measure(sound: Doubles, f0_hz: Doubles) -> Measure:
    voiced = f0_hz[f0_hz > 0]
    if len(voiced):
        ratio = voiced / np.median(voiced)
        voiced = voiced[(ratio < _OCTAVE) & (ratio > 1 / _OCTAVE)]
    f0 = float(np.exp(np.log(voiced).mean())) if len(voiced) >= _FEWEST_VOICED else float("nan")
    return Measure(f0, float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0)
