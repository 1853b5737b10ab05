"""Which clips are enhanced, why not, and how loud the enhanced sound is: the same in every way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.annotator import Heard
from pipeline.clip import Clip, Samples
from pipeline.rows import Enhance, Quality
from pipeline.vad import HOP_SAMPLES, speech_frames

CLEAN_DOMAINS = ("studio", "audiobook")
BELOW_SNR_DB = 12.0
_LOUDEST_SHARE = 0.3  # of the frames of speech: where the noise matters least to their level


def left_because(clip: Clip, below_snr_db: float, clean_domains: tuple[str, ...]) -> str | None:
    """Why the clip is not enhanced; None where it is."""
    quality = clip.of(Quality)
    if clip.given.domain in clean_domains:
        return f"the domain is {clip.given.domain}"
    if quality.snr_db is None or quality.noise_dbfs is None:
        return "the SNR could not be measured"
    if quality.snr_db >= below_snr_db:
        return f"SNR {quality.snr_db:.1f} dB is not under {below_snr_db:g} dB"
    return None


def left(reason: str) -> Heard[Enhance]:
    """The clip as it was."""
    return Heard(Enhance(enhanced=False, enhance_reason=reason), None)


def enhanced(clip: Clip, sound: Samples, below_snr_db: float) -> Heard[Enhance]:
    """The clip with its new sound."""
    reason = f"SNR {clip.of(Quality).snr_db:.1f} dB is under {below_snr_db:g} dB"
    return Heard(Enhance(enhanced=True, enhance_reason=reason), sound)


def level_gain(clip: Clip, raw: Samples, sound: Samples) -> float | None:
    """What `sound` must be multiplied by for its speech to be as loud as that of `raw` without its noise.

    The level is the root mean square over the loudest frames of the speech of `raw`. None: nobody speaks.
    """
    noise_dbfs = clip.of(Quality).noise_dbfs
    noise = 0.0 if noise_dbfs is None else 10 ** (noise_dbfs / 10)
    before, after = _frame_power(raw), _frame_power(sound)
    speech = speech_frames(raw)[: len(before)]
    if not speech.any():
        return None
    loud = speech & (before >= np.quantile(before[speech], 1 - _LOUDEST_SHARE))
    wanted = max(float(before[loud].mean()) - noise, 0.1 * float(before[loud].mean()))
    return float(np.sqrt(wanted / max(float(after[loud].mean()), 1e-12)))


def _frame_power(samples: Samples) -> npt.NDArray[np.float32]:
    """Mean power of each 10 ms, [n_samples // 160]."""
    n_frames = len(samples) // HOP_SAMPLES
    return np.asarray(np.square(samples[: n_frames * HOP_SAMPLES]).reshape(n_frames, -1).mean(axis=1))
