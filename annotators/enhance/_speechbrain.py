"""From clips to enhanced clips, for the networks of SpeechBrain: which, by what, and how loud."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from annotators.enhance._when import enhanced, left, left_because, level_gain
from pipeline.annotator import Heard
from pipeline.clip import Clip, Samples
from pipeline.rows import Enhance
from pipeline.vad import speech_frames

_MOST_GAIN = 1000.0  # 60 dB: they were trained not to mind the level, but sound so soft holds no speech


def hear(
    clips: Sequence[Clip],
    below_snr_db: float,
    clean_domains: tuple[str, ...],
    network: Callable[[Sequence[Samples]], Sequence[Samples]],
) -> list[Heard[Enhance]]:
    """One row a clip; those that need it with the sound `network` makes of them, at the level they had."""
    heard: dict[int, Heard[Enhance]] = {}
    raws: dict[int, Samples] = {}
    for place, clip in enumerate(clips):
        if (reason := left_because(clip, below_snr_db, clean_domains)) is not None:
            heard[place] = left(reason)
        elif not speech_frames(clip.speech).any():
            heard[place] = left("nobody speaks")
        else:
            raws[place] = clip.speech
    sounds = network(list(raws.values())) if raws else []
    for (place, raw), sound in zip(raws.items(), sounds, strict=True):
        gain = level_gain(clips[place], raw, sound)
        if gain is None or not gain < _MOST_GAIN:
            heard[place] = left("the model would have removed speech")
        else:
            heard[place] = enhanced(clips[place], np.asarray(gain * sound, np.float32), below_snr_db)
    return [heard[place] for place in range(len(clips))]
