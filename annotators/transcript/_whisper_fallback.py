"""When a decoding stands, when it is tried again, and what the windows of a clip say together.

The thresholds and their order are those of `whisper.transcribe`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_REPEATS_ABOVE = 2.4  # compression ratio
_DOUBTS_BELOW = -1.0  # average log probability
_SILENT_ABOVE = 0.6  # probability that nobody speaks

_UNSPACED = frozenset({"ja", "lo", "my", "th", "yue", "zh"})  # written without spaces between words


@dataclass(frozen=True, slots=True)
class Attempt:
    """One decoding of one window."""

    text: str
    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the windows of a clip say together; the numbers are columns of Transcript."""

    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float

    @property
    def confidence(self) -> float:
        """The geometric mean of the probabilities of the tokens."""
        return min(1.0, math.exp(self.avg_logprob))


def is_silence(attempt: Attempt) -> bool:
    """Whether what was decoded was made up: Whisper hears nobody, and doubts the words."""
    return attempt.no_speech_prob > _SILENT_ABOVE and attempt.avg_logprob < _DOUBTS_BELOW


def stands(attempt: Attempt) -> bool:
    """Whether a window need not be decoded again at a higher temperature."""
    return is_silence(attempt) or not (repeats(attempt) or attempt.avg_logprob < _DOUBTS_BELOW)


def repeats(attempt: Attempt) -> bool:
    """Whether a text compresses so well that it must repeat itself."""
    return attempt.compression_ratio > _REPEATS_ABOVE


def settled(attempts: Sequence[Attempt]) -> Attempt:
    """The last attempt where it stands; else the likeliest of those that do not repeat themselves.

    `whisper.transcribe` keeps the last whatever it is, the one sampled at the highest temperature.
    """
    last = attempts[-1]
    return last if stands(last) else max(attempts, key=lambda a: (not repeats(a), a.avg_logprob))


def joined(windows: Sequence[Attempt], language: str | None) -> Recognised | None:
    """The texts of the windows in which somebody speaks, in order; None where there is none.

    The mean log probability is over all tokens, the end of each text counted; of the other two the
    worst window counts.
    """
    spoken = [window for window in windows if window.text and not is_silence(window)]
    if not spoken:
        return None
    counts = [len(window.tokens) + 1 for window in spoken]
    total = sum(window.avg_logprob * n for window, n in zip(spoken, counts, strict=True))
    return Recognised(
        ("" if language in _UNSPACED else " ").join(window.text for window in spoken),
        total / sum(counts),
        max(window.no_speech_prob for window in spoken),
        max(window.compression_ratio for window in spoken),
    )
