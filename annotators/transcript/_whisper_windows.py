"""Long clips in windows Whisper can hear: at most 30 s, cut where nobody speaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from pipeline.clip import Samples
from pipeline.vad import HOP_SAMPLES, Frames, speech_frames

WINDOW = 3000
"""Frames of 10 ms in a window."""
_EARLIEST = 2 * WINDOW // 3  # a cut lies in the last third of its window
_LEAD = 50  # frames kept before speech that follows a pause
_SMOOTH = 10  # frames: shorter than a syllable

Powers = npt.NDArray[np.float32]  # [n_frames]


def windows(samples: Samples) -> list[slice]:
    """The windows of a clip, in order, without overlap; together they hold every frame of speech.

    A clip of up to 30 s is one window, as it is; one without speech has none.
    """
    speech = speech_frames(samples)
    if len(samples) <= WINDOW * HOP_SAMPLES:
        return [slice(0, len(samples))] if speech.any() else []
    spans = cut(speech, _powers(samples, len(speech)))
    return [slice(start * HOP_SAMPLES, min(end * HOP_SAMPLES, len(samples))) for start, end in spans]


def cut(speech: Frames, power: Powers) -> list[tuple[int, int]]:
    """The first frame of each window and the frame after its last.

    A window ends in the middle of the longest pause of its last third, or, where there is none, at its
    quietest frame. Long silence between windows belongs to none.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    while (rest := speech[end:]).any():
        start = max(end, end + int(np.argmax(rest)) - _LEAD)
        end = len(speech)
        if end - start > WINDOW:
            third = slice(start + _EARLIEST, start + WINDOW)
            end = third.start + _quietest(speech[third], power[third])
        spans.append((start, end))
    return spans


def _quietest(speech: Frames, power: Powers) -> int:
    """The middle of the longest pause (of equal ones the last), else the frame of least power."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], speech, [True])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return int(np.argmin(power))
    longest = len(starts) - 1 - int(np.argmax((ends - starts)[::-1]))
    return int(starts[longest] + ends[longest]) // 2


def _powers(samples: Samples, n_frames: int) -> Powers:
    """Mean power around each frame."""
    padded = np.pad(samples, (0, n_frames * HOP_SAMPLES - len(samples)))
    power = np.square(padded).reshape(n_frames, HOP_SAMPLES).mean(axis=1)
    return np.asarray(uniform_filter1d(power, _SMOOTH, mode="nearest"), dtype=np.float32)
