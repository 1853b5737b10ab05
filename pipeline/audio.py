"""Opening and decoding sound: libsndfile first, FFmpeg (PyAV) for what it cannot read, soxr to 16 kHz.

libsndfile seeks to the sample in every format it reads, mp3 and opus included, and drops the
samples codecs add before and after (measured: 0 samples apart from the original). FFmpeg does so
where the container says what to drop (m4a, mp4, webm). Where nothing says it, the sound begins
late by the delay of the codec: raw AAC and AAC in Matroska by 1024 samples, mp3 without a Xing
header by 1105.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Protocol

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Samples
from pipeline.errors import ClipError
from pipeline.filesystems import redacted
from pipeline.parts import local_path, open_bytes

Native = npt.NDArray[np.float32]  # [n_frames, n_channels] at the rate of the file

_EXACT_LENGTH = ("mov,mp4", "matroska", "asf", "caf")  # containers whose header states the length
_SLACK_S = 0.2  # a stated length counts encoder padding, which decoding drops
_PREROLL_S = 0.5  # before what is wanted: AAC and Opus are exact after 80 ms
_UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what a program that writes to a pipe puts for a length


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """What the header says. `frames` is None where it does not tell the length."""

    rate_hz: int
    channels: int
    codec: str
    frames: int | None


class Recording(Protocol):
    """An open sound file. Raises ClipError where the sound ends before its header says."""

    info: SoundInfo

    def read(self, start: int, n_frames: int) -> Native:
        """Up to `n_frames` frames from frame `start`; fewer at the end of the recording."""
        ...

    def blocks(self, n_frames: int) -> Iterator[Native]:
        """All of it from the start in pieces of at least `n_frames`, the last one shorter."""
        ...


@contextmanager
def open_sound(audio: AudioRef) -> Iterator[Recording]:
    """The recording, open for reading; `offset_s` and `span_s` are not applied.

    Raises ClipError: not_found, unreadable, empty, not_sound, truncated.
    """
    try:
        with open_bytes(audio) as file:
            if file.seek(0, io.SEEK_END) == 0:
                raise ClipError("empty", "The file has no bytes.")
            path = local_path(audio)
            with _decoder(file, file if path is None else str(path)) as recording:
                yield recording
    except FileNotFoundError as error:
        raise ClipError("not_found", f"There is no file {redacted(audio.url)}.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ClipError("unreadable", f"The file cannot be read: {reason}.") from error


def read_all(recording: Recording) -> Native:
    """All of the sound. Raises ClipError: empty, truncated."""
    blocks = list(recording.blocks(recording.info.rate_hz * 60))
    if not blocks:
        raise ClipError("empty", "The file holds no sound.")
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def read_span(recording: Recording, offset_s: float, span_s: float | None) -> Native:
    """A piece of the recording, to the sample. Raises ClipError: past_end, truncated.

    A span may reach past the end by 0.1 s, as rounded manifests do; it then ends with the recording.
    """
    rate_hz = recording.info.rate_hz
    start = round(offset_s * rate_hz)
    n_frames = 1 << 40 if span_s is None else round((offset_s + span_s) * rate_hz) - start
    sound = recording.read(start, n_frames)
    if len(sound) == 0 or (span_s is not None and len(sound) < n_frames - 0.1 * rate_hz):
        end = f"{offset_s + (span_s or 0):.2f}"
        raise ClipError("past_end", f"The recording ends before {end} s, where the clip would end.")
    return sound


def mono_16k(sound: Native, rate_hz: int) -> Samples:
    """The mean of the channels at 16 kHz. Channels in opposite phase cancel."""
    return np.asarray(soxr.resample(_mean(sound), rate_hz, SAMPLE_RATE_HZ, quality="HQ"), dtype=np.float32)


def stream_16k(recording: Recording, block_s: float) -> Iterator[Samples]:
    """The recording as consecutive pieces of mono 16 kHz sound of about `block_s`, in bounded memory."""
    rate_hz = recording.info.rate_hz
    resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    for block in recording.blocks(round(block_s * rate_hz)):
        yield resampler.resample_chunk(_mean(block))
    yield resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _mean(sound: Native) -> Samples:
    return np.ascontiguousarray(sound[:, 0] if sound.shape[1] == 1 else sound.mean(axis=1))


@contextmanager
def _decoder(file: BinaryIO, source: BinaryIO | str) -> Iterator[Recording]:
    cut_short = _cut_short(file)
    file.seek(0)
    try:
        opened = soundfile.SoundFile(source)
    except (soundfile.LibsndfileError, TypeError):  # TypeError: it wants the rate of headerless sound
        yield _Libav(source)
        return
    with opened:
        yield _Libsndfile(opened, cut_short)


@contextmanager
def _open_av(source: BinaryIO | str) -> Iterator[Any]:
    if not isinstance(source, str):
        source.seek(0)
    try:
        container = av.open(source)
    except av.FFmpegError as error:
        raise ClipError("not_sound", "Neither libsndfile nor FFmpeg can read this as sound.") from error
    with container:
        if not container.streams.audio:
            raise ClipError("not_sound", "The file has no sound stream.")
        yield container


def _cut_short(file: BinaryIO) -> bool:
    """True where libsndfile would not tell that the file ends early: a RIFF or AIFF shorter than it
    says, an Ogg without its last page."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(8)
    if head[:4] in (b"RIFF", b"RIFX", b"FORM"):
        stated = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big")
        return stated not in _UNKNOWN_SIZES and stated + 8 > size + 1  # a pad byte is often left out
    if head[:4] == b"OggS":
        file.seek(max(0, size - 65536))  # a page has at most 65307 bytes
        tail = file.read()
        page = tail.rfind(b"OggS")
        return not (page >= 0 and len(tail) > page + 5 and tail[page + 5] & 4)
    return False


def _truncated(rate_hz: int, frames: int, stated: int | None) -> ClipError:
    says = "its header says" if stated is None else f"the {stated / rate_hz:.2f} s its header says"
    return ClipError("truncated", f"The sound breaks off after {frames / rate_hz:.2f} s, before {says}.")


def _damaged(info: SoundInfo) -> ClipError:
    until = "its end" if info.frames is None else f"the {info.frames / info.rate_hz:.2f} s its header says"
    return ClipError("truncated", f"The sound cannot be decoded up to {until}.")


class _Libsndfile:
    """A recording read by libsndfile."""

    def __init__(self, file: Any, cut_short: bool) -> None:
        codec = file.subtype if file.format == "WAV" else f"{file.format}/{file.subtype}"
        self.info = SoundInfo(file.samplerate, file.channels, codec, None if cut_short else file.frames)
        self._file, self._cut_short = file, cut_short
        self._slack = _SLACK_S * file.samplerate if file.format == "MP3" else 0  # may be an estimate

    def read(self, start: int, n_frames: int) -> Native:
        n_frames = min(n_frames, self._file.frames - start)
        if n_frames <= 0:
            return np.zeros((0, self.info.channels), dtype=np.float32)
        try:
            self._file.seek(start)
        except soundfile.LibsndfileError as error:
            raise _damaged(self.info) from error
        return self._read(start, n_frames)

    def blocks(self, n_frames: int) -> Iterator[Native]:
        self._file.seek(0)
        for start in range(0, self._file.frames, n_frames):
            block = self._read(start, min(n_frames, self._file.frames - start))
            if len(block):
                yield block
        if self._cut_short:
            raise _truncated(self.info.rate_hz, self._file.frames, None)

    def _read(self, start: int, n_frames: int) -> Native:
        try:
            sound = np.asarray(self._file.read(n_frames, dtype="float32", always_2d=True))
        except soundfile.LibsndfileError as error:
            raise _damaged(self.info) from error
        if len(sound) < n_frames - self._slack:
            raise _truncated(self.info.rate_hz, start + len(sound), self.info.frames)
        return sound


class _Libav:
    """A recording read by FFmpeg, opened anew for each pass: a seek back to the start of a webm
    skips its first frame. Times count from the first frame."""

    def __init__(self, source: BinaryIO | str) -> None:
        self._source = source
        with _open_av(source) as container:
            stream = container.streams.audio[0]
            codec, start = stream.codec_context, stream.start_time
            self.info = SoundInfo(stream.rate, codec.channels, codec.name, _stated_frames(container, stream))
            self._start_s = Fraction(0) if start is None else start * stream.time_base

    def read(self, start: int, n_frames: int) -> Native:
        begin_s = Fraction(start, self.info.rate_hz) + self._start_s
        if self.info.frames is not None:
            n_frames = min(n_frames, self.info.frames - start)
        pieces = [np.zeros((0, self.info.channels), dtype=np.float32)]
        have = 0
        for at_s, piece in self._decoded(begin_s):
            skip = max(0, round((begin_s - at_s) * self.info.rate_hz)) if not have else 0
            pieces.append(piece[skip:])
            have += len(pieces[-1])
            if have >= n_frames:
                break
        return np.concatenate(pieces)[: max(0, n_frames)]

    def blocks(self, n_frames: int) -> Iterator[Native]:
        held: list[Native] = []
        done, limit = 0, self.info.frames
        for _, piece in self._decoded(self._start_s):
            fresh = piece if limit is None else piece[: max(0, limit - done)]
            held.append(fresh)
            done += len(fresh)
            if sum(map(len, held)) >= n_frames:
                yield np.concatenate(held)
                held = []
        if limit is not None and done < limit - _SLACK_S * self.info.rate_hz:
            raise _truncated(self.info.rate_hz, done, limit)
        if sum(map(len, held)):
            yield np.concatenate(held)

    def _decoded(self, begin_s: Fraction) -> Iterator[tuple[Fraction, Native]]:
        """Each decoded frame with its time, from somewhat before `begin_s`."""
        as_float, at_s = av.AudioResampler(format="fltp"), self._start_s
        with _open_av(self._source) as container:
            if begin_s - self._start_s > _PREROLL_S:
                container.seek(int((begin_s - Fraction(_PREROLL_S)) * av.time_base))
            try:
                for frame in container.decode(container.streams.audio[0]):
                    if frame.pts is not None:
                        at_s = frame.pts * frame.time_base
                    for piece in as_float.resample(frame):
                        yield at_s, piece.to_ndarray().T
                        at_s += Fraction(piece.samples, self.info.rate_hz)
            except av.FFmpegError as error:
                raise _damaged(self.info) from error


def _stated_frames(container: Any, stream: Any) -> int | None:
    """The length the header states, or None where it is an estimate."""
    if not container.format.name.startswith(_EXACT_LENGTH):
        return None
    if stream.duration is not None:
        return int(stream.duration * stream.time_base * stream.rate)
    if container.duration is None:
        return None
    return int(Fraction(container.duration, av.time_base) * stream.rate)
