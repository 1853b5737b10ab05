"""Cuts long recordings into utterances where nobody speaks.

A recording is halved at its longest pause, and the halves again, until every piece is short enough;
a piece without a pause is halved at its quietest point. The spans cover every frame that holds
speech, keep a little silence around it, and never overlap. A recording in which nobody speaks has
no spans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from pipeline.annotator import Annotator
from pipeline.audio import Recording, open_sound, stream_16k
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Clip, Samples
from pipeline.errors import ClipError, OptionError
from pipeline.options import Option
from pipeline.rows import Cut, Span
from pipeline.vad import CONTEXT_S, HOP_S, HOP_SAMPLES, Frames, speech_frames

_BLOCK_S = 60
_QUIET_FRAMES = 15  # 0.15 s: the quietest point is one between syllables, not within a plosive
Levels = npt.NDArray[np.float32]  # [n_frames], mean power of 10 ms


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech from frame `start` up to frame `end`, and the silence before and after it, in frames."""

    start: int
    end: int
    before: int
    after: int


class VadAnnotator(Annotator[Cut]):
    """Reads the recording in pieces of a minute: memory does not grow with its length."""

    row = Cut
    version = 1
    batch_clips = 1

    def __init__(
        self,
        *,
        whole_s: Annotated[float, Option("recordings up to this length stay whole", "s", 1.0, 600.0)] = 30.0,
        min_s: Annotated[float, Option("shortest utterance", "s", 0.5, 10.0)] = 2.0,
        max_s: Annotated[float, Option("longest utterance", "s", 3.0, 600.0)] = 20.0,
        pause_s: Annotated[float, Option("a pause this long ends an utterance", "s", 0.1, 60.0)] = 1.0,
        pad_s: Annotated[float, Option("silence kept before and after speech", "s", 0.0, 1.0)] = 0.15,
    ) -> None:
        if max_s < 2 * (min_s + pad_s):
            raise OptionError(f"cut.max_s must be at least twice min_s + pad_s: {2 * (min_s + pad_s):g} s.")
        self._whole_s, self._pad = whole_s, _frames(pad_s)
        self._min, self._max, self._pause = _frames(min_s), _frames(max_s), _frames(pause_s)

    def annotate(self, clips: Sequence[Clip]) -> list[Cut | ClipError]:
        """One row per recording, in order."""
        return [self._outcome(clip.audio) for clip in clips]

    def _outcome(self, audio: AudioRef) -> Cut | ClipError:
        if audio.span_s is not None:
            return Cut(recording_s=audio.span_s, spans=(Span(audio.offset_s or 0.0, audio.span_s),))
        try:
            with open_sound(audio) as recording:
                return self._cut(recording, audio.offset_s)
        except ClipError as error:
            return error

    def _cut(self, recording: Recording, offset_s: float | None) -> Cut:
        frames = recording.info.frames
        stated_s = None if frames is None else frames / recording.info.rate_hz
        if stated_s is not None and (offset_s is not None or stated_s <= self._whole_s):
            return _whole(offset_s or 0.0, stated_s)
        speech, levels, recording_s = listen(recording)
        if offset_s is not None or recording_s <= self._whole_s:
            return _whole(offset_s or 0.0, recording_s)
        pieces = self.pieces(speech, levels)
        return Cut(recording_s=recording_s, spans=tuple(self._span(p, recording_s) for p in pieces))

    def _span(self, piece: Piece, recording_s: float) -> Span:
        """The piece with its padding, and with more silence where it is shorter than an utterance."""
        lack = max(0, self._min - (piece.end - piece.start) - 2 * self._pad)
        want = self._pad + -(-lack // 2)
        start_s = (piece.start - min(want, piece.before)) * HOP_S
        end_s = min((piece.end + min(want, piece.after)) * HOP_S, recording_s)
        return Span(round(start_s, 2), round(end_s - round(start_s, 2), 6))

    def pieces(self, speech: Frames, levels: Levels) -> list[Piece]:
        """The utterances of a recording, in order."""
        spoken = np.flatnonzero(speech)
        if len(spoken) == 0:
            return []
        first, last = int(spoken[0]), int(spoken[-1]) + 1
        todo = [Piece(first, last, first, len(speech) - last)]
        done: list[Piece] = []
        while todo:
            piece = todo.pop()
            halves = self._halves(piece, speech, levels)
            if halves is None:
                done.append(piece)
            else:
                todo.extend(reversed(halves))
        return done

    def _halves(self, piece: Piece, speech: Frames, levels: Levels) -> tuple[Piece, Piece] | None:
        """The piece in two, or None where it is one utterance."""
        length = piece.end - piece.start
        too_long = length + 2 * self._pad > self._max
        starts, ends = _pauses(speech[piece.start : piece.end])
        room = (ends - starts) // 2
        fits = (starts + room >= self._min) & (length - ends + room >= self._min)
        lengths = np.where(fits, ends - starts, 0)
        best = int(np.argmax(lengths)) if len(lengths) else 0
        if len(lengths) and lengths[best] >= (1 if too_long else self._pause):
            return _split(piece, piece.start + int(starts[best]), piece.start + int(ends[best]))
        if not too_long:
            return None
        quiet = uniform_filter1d(levels[piece.start : piece.end], _QUIET_FRAMES, mode="nearest")
        at = piece.start + self._min + int(np.argmin(quiet[self._min : length - self._min + 1]))
        return _split(piece, at, at)


def listen(recording: Recording) -> tuple[Frames, Levels, float]:
    """Speech and mean power of every 10 ms of the recording, and its length in seconds."""
    n_samples = 0
    speech: list[Frames] = []
    levels: list[Levels] = []
    for sound, first, last in _overlapping(stream_16k(recording, _BLOCK_S)):
        padded = np.pad(sound, (0, -len(sound) % HOP_SAMPLES)).reshape(-1, HOP_SAMPLES)
        levels.append(np.mean(np.square(padded), axis=1)[first:last])
        speech.append(speech_frames(sound)[first:last])
        n_samples += min(len(sound), last * HOP_SAMPLES) - first * HOP_SAMPLES
    if not speech:
        raise ClipError("empty", "The file holds no sound.")
    return np.concatenate(speech), np.concatenate(levels), n_samples / SAMPLE_RATE_HZ


def _overlapping(blocks: Iterator[Samples]) -> Iterator[tuple[Samples, int, int]]:
    """The stream as pieces that start at whole seconds and overlap by the context of the detector,
    each with the frames within it that no other piece has."""
    second, context = SAMPLE_RATE_HZ, CONTEXT_S * SAMPLE_RATE_HZ
    held, first = np.zeros(0, dtype=np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        last = (len(held) - context) // second * second
        if last < first + second:
            continue
        yield held, first // HOP_SAMPLES, last // HOP_SAMPLES
        held, first = held[max(0, last - context) :], min(last, context)
    if len(held) > first:
        yield held, first // HOP_SAMPLES, -(-len(held) // HOP_SAMPLES)


def _pauses(speech: Frames) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where runs of no speech start and end."""
    edges = np.flatnonzero(np.diff(~speech, prepend=False, append=False))
    return edges[::2], edges[1::2]


def _split(piece: Piece, start: int, end: int) -> tuple[Piece, Piece]:
    """The piece without its pause from `start` to `end`, of which each side gets a half."""
    half = (end - start) // 2
    return Piece(piece.start, start, piece.before, half), Piece(end, piece.end, half, piece.after)


def _whole(offset_s: float, recording_s: float) -> Cut:
    return Cut(recording_s=recording_s, spans=(Span(offset_s, recording_s - offset_s),))


def _frames(seconds: float) -> int:
    return round(seconds / HOP_S)
