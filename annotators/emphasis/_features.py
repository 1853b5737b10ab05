"""What the detector is told of every word: its sound as a small log-mel picture, and numbers about it.

All is relative to the sentence: neither the level of the clip nor the height of the voice nor the pace of
the speaker changes a value. Nothing depends on the language but whether a word is a function word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from annotators._mel import HOP, Mel, log_mel
from annotators.emphasis._units import Unit
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from prompts.stopwords import stopwords

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FRAMES = 24
"""Of a word's picture: it is stretched or squeezed to them, with MARGIN frames of what is around it."""
MARGIN = 4
BANDS = 32
_HOP_S = HOP / SAMPLE_RATE_HZ
_LOW, _HIGH = slice(0, 20), slice(36, 64)  # bands: to 1.1 kHz and from 2.6 kHz
_FLOOR_DB = -45.0  # under the loudest frame: pauses are all alike
_LONGEST_PAUSE_S = 0.5
_DB = 10.0 / np.log(10.0)

NAMES = (
    "length", "syllable_length", "syllables", "letters", "function_word",
    "level_mean", "level_max", "tilt", "level_rise",
    "voiced", "f0_mean", "f0_max", "f0_min", "f0_range", "f0_slope", "f0_above_line",
    "pause_before", "pause_after", "place", "is_first", "is_last", "words",
)  # fmt: skip
"""The numbers, before the differences to the neighbours."""
DIFFERENCES = ("length", "syllable_length", "level_max", "level_mean", "f0_max", "f0_mean")
N_NUMBERS = len(NAMES) + 2 * len(DIFFERENCES)


@dataclass(frozen=True, slots=True)
class Features:
    """Of one clip: `pictures` [n_words, FRAMES, BANDS] and `numbers` [n_words, N_NUMBERS]."""

    pictures: Floats
    numbers: Floats


def features(
    samples: Samples, words: Sequence[Unit], f0_hz: npt.NDArray[np.floating], f0_hop_s: float
) -> Features:
    """The features of every word; `f0_hz` is 0 where unvoiced, and may be all zero."""
    mel = log_mel(samples)
    level = _level(mel)
    spans = [_span(word, len(mel)) for word in words]
    heard = np.concatenate([np.arange(a, b) for a, b in spans])
    columns = (
        _written(words)
        | _loudness(mel, level, spans, heard)
        | _melody(words, f0_hz.astype(np.float64), f0_hop_s)
        | _places(words)
    )
    return Features(_pictures(mel, spans, heard), _together(columns))


def _level(mel: Mel) -> Doubles:
    """dB under the loudest frame."""
    power = np.exp(mel.astype(np.float64)).sum(axis=1)
    return np.asarray(np.maximum(_DB * np.log(power / power.max()), _FLOOR_DB), np.float64)


def _span(word: Unit, n_frames: int) -> tuple[int, int]:
    """Its frames, at least one."""
    start = min(max(round(word.start_s / _HOP_S), 0), n_frames - 1)
    return start, min(max(round(word.end_s / _HOP_S), start + 1), n_frames)


def _pictures(mel: Mel, spans: Sequence[tuple[int, int]], heard: npt.NDArray[np.intp]) -> Floats:
    """Bands in pairs, less their mean over the sentence's words."""
    bands = mel.reshape(len(mel), BANDS, -1).mean(axis=2)
    bands = np.maximum(bands - bands[heard].mean(axis=0), -6.0) / 3.0
    found = np.empty((len(spans), FRAMES, BANDS), np.float32)
    for picture, (start, end) in zip(found, spans, strict=True):
        at = np.clip(np.linspace(start - MARGIN, end - 1 + MARGIN, FRAMES), 0, len(mel) - 1)
        low = np.floor(at).astype(np.intp)
        share = (at - low).astype(np.float32)[:, None]
        picture[:] = (1 - share) * bands[low] + share * bands[np.minimum(low + 1, len(mel) - 1)]
    return found


def _written(words: Sequence[Unit]) -> dict[str, Doubles]:
    length = np.log([max(word.seconds, 0.02) for word in words])
    syllables = np.log([word.n_syllables for word in words])
    slow = length - syllables
    letters = np.log([len(word.text) for word in words])
    return {
        "length": length - length.mean(),
        "syllable_length": slow - slow.mean(),
        "syllables": syllables,
        "letters": letters - letters.mean(),
        "function_word": np.array([float(_is_function_word(word.text)) for word in words]),
    }


def _is_function_word(text: str) -> bool:
    plain = text.lower().replace("\u2019", "'")
    return any(plain in stopwords(name) for name in ("en", "latin", "zh"))


def _loudness(
    mel: Mel, level: Doubles, spans: Sequence[tuple[int, int]], heard: npt.NDArray[np.intp]
) -> dict[str, Doubles]:
    """In 10 dB, against the mean of the sentence's words."""
    usual = level[heard].mean()
    tilt = (mel[:, _HIGH].mean(axis=1) - mel[:, _LOW].mean(axis=1)).astype(np.float64)
    loud = np.array([level[a:b].max() for a, b in spans])
    tilts = np.array(
        [tilt[a:b][level[a:b] > top - 6.0].mean() for (a, b), top in zip(spans, loud, strict=True)]
    )
    mean = np.array([level[a:b].mean() for a, b in spans])
    return {
        "level_mean": (mean - usual) / 10,
        "level_max": (loud - loud.mean()) / 10,
        "tilt": tilts - tilts.mean(),
        "level_rise": (loud - mean) / 10,
    }


def _melody(words: Sequence[Unit], f0_hz: Doubles, hop_s: float) -> dict[str, Doubles]:
    """In half octaves against the median of the sentence; 0 where a word is unvoiced."""
    voiced = f0_hz > 0
    pitch = np.zeros(len(f0_hz))
    if voiced.any():
        pitch[voiced] = 2 * np.log2(f0_hz[voiced] / np.median(f0_hz[voiced]))
    columns = ("voiced", "f0_mean", "f0_max", "f0_min", "f0_range", "f0_slope")
    rows = [_contour(pitch, voiced, word, hop_s) for word in words]
    found = {name: np.array([row[i] for row in rows]) for i, name in enumerate(columns)}
    return found | {"f0_above_line": _above_line(words, found["f0_max"], found["voiced"])}


def _contour(pitch: Doubles, voiced: npt.NDArray[np.bool_], word: Unit, hop_s: float) -> tuple[float, ...]:
    start = round(word.start_s / hop_s)
    end = max(start + 1, round(word.end_s / hop_s))
    inside = np.flatnonzero(voiced[start:end])
    n_frames = len(voiced[start:end])
    if len(inside) < 4:
        return len(inside) / max(n_frames, 1), 0.0, 0.0, 0.0, 0.0, 0.0
    contour = pitch[start:end][inside]
    low, high = np.percentile(contour, (5, 95))
    half = len(contour) // 2
    slope = contour[half:].mean() - contour[:half].mean()
    return (
        len(inside) / n_frames,
        float(contour.mean()),
        float(high),
        float(low),
        float(high - low),
        float(slope),
    )


def _above_line(words: Sequence[Unit], high: Doubles, voiced: Doubles) -> Doubles:
    """How far a word's peak lies above the line that the peaks of the sentence fall along."""
    known = voiced > 0.1
    if known.sum() < 3:
        return np.zeros(len(words))
    middle = np.array([(word.start_s + word.end_s) / 2 for word in words])
    slope, height = np.polyfit(middle[known], high[known], 1)
    return np.where(known, high - (slope * middle + height), 0.0)


def _places(words: Sequence[Unit]) -> dict[str, Doubles]:
    n = len(words)
    gaps = np.array([max(0.0, b.start_s - a.end_s) for a, b in pairwise(words)])
    pauses = np.minimum(gaps, _LONGEST_PAUSE_S) / _LONGEST_PAUSE_S
    ends = np.zeros(n)
    return {
        "pause_before": np.concatenate([[0.0], pauses]),
        "pause_after": np.concatenate([pauses, [0.0]]),
        "place": np.arange(n) / max(1, n - 1),
        "is_first": np.eye(1, n, 0)[0] + ends,
        "is_last": np.eye(1, n, n - 1)[0] + ends,
        "words": np.full(n, np.log(n) - 2),
    }


def _together(columns: dict[str, Doubles]) -> Floats:
    """The columns in the order of NAMES, then what each of DIFFERENCES has over the words beside it."""
    own = [columns[name] for name in NAMES]
    before = [np.diff(columns[name], prepend=columns[name][:1]) for name in DIFFERENCES]
    behind = [-np.diff(columns[name], append=columns[name][-1:]) for name in DIFFERENCES]
    return np.stack([*own, *before, *behind], axis=1).astype(np.float32)
