"""What one clip looks like, as numbers: the outline of its sound, its F0, its level, its words in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.pages.text import harmless
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.rows import Emphasis, Pitch, Words

BINS = 480
"""Columns of the outline: more than a phone has points, fewer than a desktop."""
LEVEL_FRAME_S, LEVEL_HOP_S = 0.025, 0.010
LEVEL_FLOOR_DBFS = -90.0
LONGEST_WORD = 40
"""Characters of a word that are drawn."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word in time, from the start of the clip."""

    word: str
    start_s: float
    end_s: float
    stressed: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A clip as it is drawn. `outline` is the peak of each column, 0..1 of the loudest. `f0_hz` is 0 where
    unvoiced, empty where it was not measured; frame i is at i * f0_hop_s. `level_dbfs` is the RMS of
    frames of 25 ms; frame i is centred at i * level_hop_s."""

    duration_s: float
    outline: tuple[float, ...]
    f0_hz: tuple[float, ...]
    f0_hop_s: float
    level_dbfs: tuple[float, ...]
    level_hop_s: float
    words: tuple[Spoken, ...]


def figure_of(
    samples: Samples, pitch: Pitch | None, words: Words | None, emphasis: Emphasis | None
) -> Figure:
    """The figure of a clip, mono 16 kHz, [n_samples]; what is None is left out."""
    return Figure(
        duration_s=len(samples) / SAMPLE_RATE_HZ,
        outline=_outline(samples),
        f0_hz=() if pitch is None else _rounded(pitch.f0_hz, 1),
        f0_hop_s=0.0 if pitch is None else pitch.f0_hop_s,
        level_dbfs=_rounded(_level_dbfs(samples), 1),
        level_hop_s=LEVEL_HOP_S,
        words=() if words is None else tuple(_spoken(words, _stressed(words, emphasis))),
    )


def _outline(samples: Samples) -> tuple[float, ...]:
    peak = float(np.max(np.abs(samples), initial=0.0))
    if not peak:
        return (0.0,) * BINS
    edges = np.linspace(0, len(samples), BINS + 1).astype(int)
    starts = np.minimum(edges[:-1], len(samples) - 1)
    return _rounded(np.maximum.reduceat(np.abs(samples), starts) / peak, 3)


def _level_dbfs(samples: Samples) -> npt.NDArray[np.float64]:
    """One value per hop, [n_samples / 160 + 1]; the ends are padded with silence."""
    frame, hop = round(LEVEL_FRAME_S * SAMPLE_RATE_HZ), round(LEVEL_HOP_S * SAMPLE_RATE_HZ)
    padded = np.pad(samples.astype(np.float64), frame // 2)
    sums = np.concatenate(([0.0], np.cumsum(padded**2)))
    starts = np.arange(0, len(samples), hop)
    power = (sums[starts + frame] - sums[starts]) / frame
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (LEVEL_FLOOR_DBFS / 10))))


def _stressed(words: Words, emphasis: Emphasis | None) -> range:
    """Which words the stressed word is: of Chinese, whose words stand character by character, several."""
    if emphasis is None or emphasis.emphasis_index is None:
        return range(0)
    first, wanted, said = emphasis.emphasis_index, emphasis.emphasis_word or "", ""
    for i in range(first, len(words.words)):
        said += words.words[i].word
        if not wanted.startswith(said):
            break
        if said == wanted:
            return range(first, i + 1)
    return range(first, first + 1)


def _spoken(words: Words, stressed: range) -> Sequence[Spoken]:
    return [
        Spoken(harmless(w.word)[:LONGEST_WORD], round(w.start_s, 3), round(w.end_s, 3), i in stressed)
        for i, w in enumerate(words.words)
    ]


def _rounded(values: npt.NDArray[np.float32] | npt.NDArray[np.float64], digits: int) -> tuple[float, ...]:
    return tuple(round(float(v), digits) for v in values)
