"""The sound of a clip as the bytes of a file: the source's own, or cut and packed into FLAC."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile

from pipeline import sounds
from pipeline.audio import mono_16k, open_sound, read_all, read_span
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Samples
from pipeline.errors import ClipError
from pipeline.parts import open_bytes
from pipeline.rundir import Shard
from pipeline.sounds import Pcm
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import ENHANCE, SOUND

_DEEP = re.compile("24|32|64|FLOAT|DOUBLE|alac")
"""Codecs of more than 16 bits; what is lossy is exact enough in 16."""
_SUFFIXES = {"WAV": "wav", "WAVEX": "wav", "FLAC": "flac", "OGG": "ogg", "MP3": "mp3", "AIFF": "aiff"}
_SUFFIX = re.compile(r"\.([A-Za-z0-9]{2,5})$")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sound file. `frames` is None where its header does not tell."""

    data: bytes
    suffix: str
    rate_hz: int
    channels: int
    frames: int | None


class ShardSounds:
    """The sound of a shard's clips, as the run keeps it."""

    def __init__(self, store: Store, keys: dict[str, list[str]], names: set[str], shard: Shard) -> None:
        self._store, self._keys, self._names, self._shard = store, keys, names, shard
        self._kept: dict[str, list[Pcm | None]] = {}

    def of(self, kind: str, i: int, item: Item, *, enhanced: bool) -> Encoded:
        """The sound of clip `i`: native, raw or enhanced. Raises ClipError where it cannot be had."""
        if kind == "native":
            return native(item.audio)
        if kind == "enhanced" and enhanced:
            found = self._of(ENHANCE)[i]
            if found is None:
                raise ClipError("not_kept", "The run did not keep its enhanced sound.")
            return _flac16(found.samples())
        kept = self._of(SOUND)[i]
        return _flac16(decoded(item.audio) if kept is None else kept.samples())

    def samples(self, i: int, item: Item) -> Samples:
        """The decoded sound of clip `i`, mono 16 kHz, [n_samples]."""
        kept = self._of(SOUND)[i]
        return decoded(item.audio) if kept is None else kept.samples()

    def _of(self, family: str) -> list[Pcm | None]:
        if family not in self._kept:
            paths = [self._shard.sound(key) for key in self._keys[family]]
            path = next((p for p in paths if p in self._names), None)
            nothing: list[Pcm | None] = [None] * self._shard.clips
            self._kept[family] = nothing if path is None else sounds.read(self._store, path)
        return self._kept[family]


def sound_keys(record: dict[str, Any]) -> dict[str, list[str]]:
    """The folders that may hold raw and enhanced sound, by family."""
    ways = record["annotators"]
    return {f: [f"{f}-{e['use']}@{e['fingerprint']}" for e in ways.get(f, [])] for f in (SOUND, ENHANCE)}


def native(audio: AudioRef) -> Encoded:
    """The clip at its own rate with its own channels."""
    if audio.offset_s is None and audio.span_s is None:
        data = _bytes(audio)
        if (found := _described(audio, data)) is not None:
            return found
    with open_sound(audio) as recording:
        info = recording.info
        whole = audio.offset_s is None and audio.span_s is None
        sound = read_all(recording) if whole else read_span(recording, audio.offset_s or 0.0, audio.span_s)
    return flac(sound, info.rate_hz, bits=24 if _DEEP.search(info.codec) else 16)


def decoded(audio: AudioRef) -> Samples:
    """The clip as mono 16 kHz in 16 bits relative to its peak, as a run keeps it."""
    with open_sound(audio) as recording:
        whole = audio.offset_s is None and audio.span_s is None
        sound = read_all(recording) if whole else read_span(recording, audio.offset_s or 0.0, audio.span_s)
        return Pcm.of(mono_16k(sound, recording.info.rate_hz)).samples()


def flac(sound: npt.NDArray[np.float32], rate_hz: int, *, bits: int) -> Encoded:
    """The sound, [n_frames, n_channels] or [n_frames], in FLAC of 16 or 24 bits.

    Sound that was of so many bits comes back sample for sample. Raises ClipError for what FLAC cannot hold.
    """
    peak = 1 << (bits - 1)
    whole = np.rint(sound.astype(np.float64) * peak).clip(-peak, peak - 1)
    steps = whole.astype(np.int16) if bits == 16 else whole.astype(np.int32) << 8
    file = io.BytesIO()
    try:
        soundfile.write(file, steps, rate_hz, format="FLAC", subtype=f"PCM_{bits}")
    except (soundfile.LibsndfileError, ValueError) as error:
        channels = 1 if sound.ndim == 1 else sound.shape[1]
        raise ClipError("no_flac", f"FLAC cannot hold {channels} channels at {rate_hz} Hz.") from error
    return Encoded(file.getvalue(), "flac", rate_hz, 1 if sound.ndim == 1 else sound.shape[1], len(sound))


def _flac16(samples: Samples) -> Encoded:
    return flac(samples, SAMPLE_RATE_HZ, bits=16)


def _bytes(audio: AudioRef) -> bytes:
    try:
        with open_bytes(audio) as file:
            return file.read()
    except FileNotFoundError as error:
        raise ClipError("not_found", f"There is no file {audio.url}.") from error
    except OSError as error:
        raise ClipError("unreadable", f"The file cannot be read: {error.strerror or error}.") from error


def _described(audio: AudioRef, data: bytes) -> Encoded | None:
    """The source's own bytes with what their header says; None for a film, or what has no header."""
    try:
        info = soundfile.info(io.BytesIO(data))
    except (soundfile.LibsndfileError, TypeError):
        return _described_by_ffmpeg(audio, data)
    suffix = _SUFFIXES.get(info.format) or _suffix(audio.url) or info.format.lower()
    return Encoded(data, suffix, info.samplerate, info.channels, info.frames)


def _described_by_ffmpeg(audio: AudioRef, data: bytes) -> Encoded | None:
    try:
        with av.open(io.BytesIO(data)) as container:
            suffix = _suffix(audio.url)
            if container.streams.video or not container.streams.audio or suffix is None:
                return None
            stream = container.streams.audio[0]
            return Encoded(data, suffix, stream.rate, stream.codec_context.channels, None)
    except av.FFmpegError:
        return None


def _suffix(url: str) -> str | None:
    found = _SUFFIX.search(url)
    return found[1].lower() if found else None
