"""RNNoise on the clips that need it: delay compensated, the level of the speech kept.

Three things make it help (wide-band PESQ +0.5, SI-SDR +5 dB on recorded noise from 0 to 17 dB). The
network starts cold and may then swallow a whole utterance, so the first two seconds are played to
it once before (SI-SDR +1.1 dB). A tenth of the raw sound is kept under the output (PESQ +0.2). And
as it dampens speech too (0.3 dB on average, 1.2 at worst), its output is scaled so that the loudest
frames of speech have the power they had, less that of the noise.

Above 12 dB SI-SDR falls more often than it rises, and one clean utterance in twenty has so little
pause that it is measured at 14 dB.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
import soxr
from pyrnnoise.rnnoise import FRAME_SIZE, SAMPLE_RATE, lib

from annotators.enhance._when import (
    BELOW_SNR_DB,
    CLEAN_DOMAINS,
    enhanced,
    left,
    left_because,
    level_gain,
)
from pipeline.annotator import Heard, Model, Skip, SoundAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Enhance, Quality

_DELAY = 960  # samples at 48 kHz: two frames of overlap, found by cross-correlation
_FULL_SCALE = 32768.0  # RNNoise takes floats in the range of 16-bit integers
_WARM_UP_S = 2.0
_GAIN_RANGE = (0.8, 2.0)  # -2..+6 dB
_FLOATS = ctypes.POINTER(ctypes.c_float)


class RnnoiseAnnotator(SoundAnnotator[Enhance]):
    """The enhanced sound has the length and the timing of the raw one."""

    row = Enhance
    version = 1
    needs = (Quality,)
    hears = "raw"
    sees = frozenset({"domain"})

    def __init__(
        self,
        *,
        below_snr_db: Annotated[
            float, Option("clips with a lower SNR are enhanced; 100 enhances all", "dB", -30.0, 100.0)
        ] = BELOW_SNR_DB,
        raw_share: Annotated[
            float, Option("share of the raw sound kept under the enhanced", "", 0.0, 1.0)
        ] = 0.1,
        clean_domains: Annotated[tuple[str, ...], Option("domains that are never enhanced")] = CLEAN_DOMAINS,
    ) -> None:
        self._below_snr_db = below_snr_db
        self._raw_share = raw_share
        self._clean_domains = clean_domains

    @classmethod
    def models(cls, options: object) -> tuple[Model, ...]:
        """RNNoise comes inside the package."""
        return (
            Model("RNNoise", "pyrnnoise 0.4.5", "BSD-3-Clause", source="https://pypi.org/project/pyrnnoise"),
        )

    def annotate(self, clips: Sequence[Clip]) -> list[Enhance | Skip | ClipError]:
        """The rows without the sound."""
        return [heard.row for heard in self.hear(clips)]

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Enhance]]:
        """One row per clip, with its enhanced sound, or None where the raw one stands."""
        return [self._heard(clip) for clip in clips]

    def _heard(self, clip: Clip) -> Heard[Enhance]:
        reason = left_because(clip, self._below_snr_db, self._clean_domains)
        if reason is not None:
            return left(reason)
        raw = clip.speech
        sound = (1 - self._raw_share) * denoise(raw) + self._raw_share * raw
        gain = level_gain(clip, raw, sound)
        gain = 1.0 if gain is None else gain
        if gain > _GAIN_RANGE[1]:
            return left("RNNoise would have removed speech")
        gained = np.asarray(max(gain, _GAIN_RANGE[0]) * sound, dtype=np.float32)
        return enhanced(clip, gained, self._below_snr_db)


def denoise(samples: Samples) -> Samples:
    """The output of RNNoise, same length and timing; a fresh state for every call."""
    warm_up = samples[: round(_WARM_UP_S * SAMPLE_RATE_HZ)]
    both = np.concatenate([warm_up, samples])
    wide = np.asarray(soxr.resample(both, SAMPLE_RATE_HZ, SAMPLE_RATE, quality="HQ"), dtype=np.float32)
    frames = np.zeros((-(-(len(wide) + _DELAY) // FRAME_SIZE), FRAME_SIZE), dtype=np.float32)
    frames.reshape(-1)[: len(wide)] = wide * _FULL_SCALE
    shifted = _run(frames).reshape(-1)[_DELAY : _DELAY + len(wide)] / _FULL_SCALE
    narrow = soxr.resample(shifted, SAMPLE_RATE, SAMPLE_RATE_HZ, quality="HQ")[len(warm_up) :]
    return np.asarray(narrow, dtype=np.float32)[: len(samples)]


def _run(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each 10 ms frame through a network that starts from nothing, [n_frames, 480]."""
    out = np.empty_like(frames)
    state = lib.rnnoise_create(None)
    try:
        for frame, clean in zip(frames, out, strict=True):
            lib.rnnoise_process_frame(state, clean.ctypes.data_as(_FLOATS), frame.ctypes.data_as(_FLOATS))
    finally:
        lib.rnnoise_destroy(state)
    return out
