"""Decodes the clip, and measures what becoming 16 kHz mono destroys.

Anything libsndfile or FFmpeg reads is sound. What is damaged fails with a reason rather than
becoming a shorter or a silent clip: not_found, unreadable, empty, not_sound, truncated, past_end,
too_short, not_finite, not_scaled. Silence, a constant, any rate and any number of channels are sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby
from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from pipeline.annotator import Heard, Skip, SoundAnnotator
from pipeline.audio import Native, Recording, mono_16k, open_sound, read_all, read_span
from pipeline.clip import AudioRef, Clip, Samples
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Sound

_LOUDEST = 100.0  # +40 dBFS: no recording; float samples that were never divided by 32768 reach it
_FLAT_RUN = 3  # equal samples at the top of a wave; a smooth wave of 16 bits has two
_FLAT_LEVEL = 0.25  # of the peak: a flat top lower than this is rounding
_LSB16 = 1 / 32768
_QUANTUM = {"ULAW": 1 / 32, "ALAW": 1 / 32, "PCM_U8": 1 / 128, "PCM_S8": 1 / 128}  # near the peak
_SPECTRUM_FRAME = 2048
_SPECTRUM_RANGE_DB = 65.0  # fricatives lie 20-40 dB under vowels, a resampler's stop band 90 or more


class DecodeAnnotator(SoundAnnotator[Sound]):
    """Channels are averaged, so stereo in opposite phase cancels; `channels` tells where to look."""

    row = Sound
    version = 1

    def __init__(
        self,
        *,
        min_s: Annotated[float, Option("shorter clips fail as too_short", "s", 0.0, 10.0)] = 0.1,
    ) -> None:
        self._min_s = min_s

    def annotate(self, clips: Sequence[Clip]) -> list[Sound | Skip | ClipError]:
        """The rows without the sound."""
        return [found.row if isinstance(found, Heard) else found for found in self.hear(clips)]

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Sound] | Skip | ClipError]:
        """Neighbours that lie in one recording share its opening; each is read by seeking."""
        found: list[Heard[Sound] | Skip | ClipError] = []
        for _, group in groupby(clips, key=lambda c: (c.audio.url, c.audio.part)):
            found.extend(self._hear_recording([clip.audio for clip in group]))
        return found

    def _hear_recording(self, audios: list[AudioRef]) -> Iterator[Heard[Sound] | ClipError]:
        try:
            with open_sound(audios[0]) as recording:
                outcomes = [self._outcome(recording, audio) for audio in audios]
        except ClipError as error:
            outcomes = [error] * len(audios)
        return iter(outcomes)

    def _outcome(self, recording: Recording, audio: AudioRef) -> Heard[Sound] | ClipError:
        try:
            return self._heard(recording, audio)
        except ClipError as error:
            return error

    def _heard(self, recording: Recording, audio: AudioRef) -> Heard[Sound]:
        if audio.offset_s is None and audio.span_s is None:
            sound = read_all(recording)
        else:
            sound = read_span(recording, audio.offset_s or 0.0, audio.span_s)
        info = recording.info
        self._check(sound, info.rate_hz)
        samples = mono_16k(sound, info.rate_hz)
        peak = float(np.max(np.abs(sound)))
        row = Sound(
            duration_s=len(sound) / info.rate_hz,
            native_rate_hz=info.rate_hz,
            channels=info.channels,
            codec=info.codec,
            peak_dbfs=20 * float(np.log10(peak)) if peak > 0 else None,
            clipped_share=clipped_share(sound, _QUANTUM.get(info.codec, _LSB16)),
            bandwidth_hz=bandwidth_hz(sound, info.rate_hz),
            sound_hash=sound_hash(samples),
        )
        return Heard(row, samples)

    def _check(self, sound: Native, rate_hz: int) -> None:
        if len(sound) < self._min_s * rate_hz:
            seconds = len(sound) / rate_hz
            raise ClipError(
                "too_short", f"The clip lasts {seconds:.3f} s, under the {self._min_s:g} s asked for."
            )
        bad = len(sound) - int(np.count_nonzero(np.isfinite(sound).all(axis=1)))
        if bad:
            raise ClipError("not_finite", f"{bad} of {len(sound)} samples are NaN or infinite.")
        peak = float(np.max(np.abs(sound)))
        if peak > _LOUDEST:
            raise ClipError("not_scaled", f"The samples reach {peak:g}, where full scale is 1.")


def clipped_share(sound: Native, quantum: float = _LSB16) -> float:
    """The share of samples on a flattened peak: a run of equal samples at the top of a wave, entered
    and left by a jump of five times `quantum`, the rounding of the format; a round wave jumps by four.

    Sees clipping at any level, as a later gain leaves it; a lossy codec after it rounds it away.
    """
    return float(np.mean([_clipped_share(channel, quantum) for channel in sound.T]))


def _clipped_share(channel: Samples, quantum: float) -> float:
    step = np.diff(channel)
    flat = np.abs(step) <= 1.01 * _LSB16
    edges = np.flatnonzero(np.diff(flat, prepend=False, append=False))
    first, last = edges[::2], edges[1::2]  # a run is channel[first : last + 1]
    inner = (last - first + 1 >= _FLAT_RUN) & (first > 0) & (last < len(channel) - 1)
    first, last = first[inner], last[inner]
    side = np.sign(channel[first])
    high = np.abs(channel[first]) >= _FLAT_LEVEL * np.max(np.abs(channel), initial=0.0)
    jump = 5 * quantum
    top = high & (side * step[first - 1] > jump) & (-side * step[last] > jump)
    return float(np.sum((last - first + 1)[top]) / max(1, len(channel)))


def bandwidth_hz(sound: Native, rate_hz: int) -> float | None:
    """The highest frequency at which the loudest frames lie within 65 dB of the loudest frequency.

    The long-term spectrum is the 95th percentile over time of each bin, so that fricatives count
    and a click does not. None for silence and for a constant.
    """
    mono = sound.mean(axis=1)
    power = _spectra(mono - mono.mean())
    long_term = np.percentile(power, 95, axis=0) if len(power) >= 20 else power.max(axis=0)
    peak = float(long_term.max())
    if peak < 1e-12:  # under -120 dBFS: nothing but the rounding of a constant
        return None
    within = np.flatnonzero(long_term > peak * 10 ** (-_SPECTRUM_RANGE_DB / 10))
    return float(min((within[-1] + 1) * rate_hz / _SPECTRUM_FRAME, rate_hz / 2))


def _spectra(mono: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The power spectrum of consecutive frames, the last one padded, [n_frames, 1025]."""
    window = np.hanning(_SPECTRUM_FRAME).astype(np.float32)
    padded = np.pad(mono, (0, -len(mono) % _SPECTRUM_FRAME)).reshape(-1, _SPECTRUM_FRAME)
    spectrum = rfft(padded * (window / window.sum()), axis=1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, dtype=np.float32)


def sound_hash(samples: Samples) -> str:
    """blake2b of the samples as 16-bit integers: the last bit of a resampler does not change it."""
    rounded = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    return blake2b(rounded.tobytes(), digest_size=16).hexdigest()
