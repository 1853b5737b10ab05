"""What is made of a clip: itself through the vocoder, then once for each word that is to be stressed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from annotators.emphasis._units import Unit
from jobs.train.emphasis_data.world import Stress

SEMITONES, DECIBELS, LENGTHENED = 3.5, 4.0, 0.35
"""What strength 1 adds to a word's pitch, level and (as a share) its length, before the jitter."""
_JITTER = (0.5, 1.5)  # of each of the three on its own: people do not raise them together
_PAUSED = 0.3  # share of stressed words with a pause before, and with one after
_PAUSE_S = (0.03, 0.12)
_CEILING = 0.98  # no sample of a stressed word goes beyond this
_MARK = "~"


@dataclass(frozen=True, slots=True)
class Variant:
    """One clip to make. `unit` is None where no word is stressed."""

    unit: int | None
    strength: float
    stress: Stress


def id_of(clip: str, number: int) -> str:
    """The id of a clip's variant."""
    return f"{clip}{_MARK}{number}"


def parted(id: str) -> tuple[str, int]:
    """The clip's id and the number of the variant."""
    clip, _, number = id.rpartition(_MARK)
    return clip, int(number)


def variant(
    clip: str,
    number: int,
    units: Sequence[Unit],
    candidates: Sequence[int],
    strengths: Sequence[float],
    peaks: Sequence[float],
    seed: int,
) -> Variant:
    """Variant `number` of a clip: 0 is unstressed. The same for the same clip, words and seed.

    Each variant stresses another candidate while there are any; strengths take turns. `peaks` has the
    highest sample of every unit: what would leave full scale is raised less.
    """
    if number == 0:
        return Variant(None, 0.0, Stress())
    order = _rng(clip, 0, seed).permutation(len(candidates))
    turn = int(_rng(clip, 0, seed + 1).integers(len(strengths)))
    unit = candidates[order[(number - 1) % len(candidates)]]
    strength = strengths[(number - 1 + turn) % len(strengths)]
    draw = _rng(clip, number, seed)
    pitch, level, length = strength * draw.uniform(*_JITTER, 3)
    before, after = draw.uniform(*_PAUSE_S, 2) * (draw.uniform(size=2) < _PAUSED)
    room = max(1.0, _CEILING / max(peaks[unit], 1e-6))
    stress = Stress(
        pitch=2 ** (SEMITONES * pitch / 12),
        amplitude=min(10 ** (DECIBELS * level / 20), room),
        duration=1 + LENGTHENED * length,
        pause_before_s=float(before) if _joined(units, unit) else 0.0,
        pause_after_s=float(after) if _joined(units, unit + 1) else 0.0,
    )
    return Variant(unit, strength, stress)


def _joined(units: Sequence[Unit], i: int) -> bool:
    """Whether unit `i` follows the one before it without a pause, so that one can be put between."""
    return 0 < i < len(units) and math.isclose(units[i - 1].end_s, units[i].start_s, abs_tol=0.02)


def _rng(clip: str, number: int, seed: int) -> np.random.Generator:
    digest = blake2b(f"{seed}\0{number}\0{clip}".encode("utf-8", "replace"), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
