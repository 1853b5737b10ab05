"""The mood by the project's own small networks; what the source gives stands.

Trained by `speechcraft train emotion` on acted German speech; small.md beside the weights says how far to
trust it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np

from annotators._functionals import functionals
from annotators._mel import heard
from annotators._small import Network, facts, model
from annotators.emotion._domains import given_emotion
from pipeline.annotator import Annotator, Model
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Emotion, Emotions, EmotionScore, Language, Pitch

WEIGHTS = Path(__file__).with_name("small.onnx")
CLASSES: dict[str, Emotions] = {
    "anger": "angry",
    "boredom": "other",
    "disgust": "disgusted",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
}
"""EmoDB's classes, in the order of the network's outputs, with ours."""

LANGUAGES = frozenset({"de", "en"})
"""Acted and read; of Chinese acting it named the mood right in 9 of 21 clips of which it named one."""
FOREIGN = "small: a language it did not learn"

_SOURCE = "small"
_FEWEST_S = 0.4
_FEWEST_VOICED = 20  # frames of F0, 100 ms


class SmallAnnotator(Annotator[Emotion]):
    """The likeliest class where it is likely enough, and the probability of each; else null.

    Under `min_confidence` the class is null; its probability and the scores stay. Where next to nothing is
    voiced, as in noise, there is no mood. In a known language that taught nothing the class is null, and
    `emotion_source` says so. Only the middle `max_s` of a longer clip are heard.
    """

    row = Emotion
    version = 2
    wants = (Pitch, Language)
    hears = "speech"
    sees = frozenset({"emotion"})

    def __init__(
        self,
        *,
        min_confidence: Annotated[
            float | None, Option("under it the emotion is null; none: as its card says", "", 0.0, 1.0)
        ] = None,
        learnt_languages_only: Annotated[
            bool, Option("no mood in any language but English and German")
        ] = True,
        max_s: Annotated[float, Option("of a longer clip, its middle is heard", "s", 1.0, 60.0)] = 12.0,
    ) -> None:
        named_from = facts(WEIGHTS)["min_confidence"]
        self._min_confidence = float(named_from if min_confidence is None else min_confidence)
        self._learnt_only, self._max_s = learnt_languages_only, max_s
        self._network = Network(WEIGHTS)

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The shipped weights."""
        return (model(WEIGHTS),)

    @classmethod
    def from_given(cls, clip: Clip) -> Emotion | None:
        """The given mood, where its word is known."""
        return given_emotion(clip)

    def annotate(self, clips: Sequence[Clip]) -> list[Emotion | ClipError]:
        """One row per clip, in order."""
        return [self.from_given(clip) or self._emotion(clip) for clip in clips]

    def _emotion(self, clip: Clip) -> Emotion | ClipError:
        fault = _fault(clip.speech)
        if fault is not None:
            return fault
        pitch = clip.maybe(Pitch)
        if pitch is None or np.count_nonzero(pitch.f0_hz) < _FEWEST_VOICED:
            return Emotion(None, _SOURCE, None, None)
        said = functionals(**heard(clip.speech, pitch, self._max_s))
        row = judged(self._network(functionals=said)["chances"].tolist(), self._min_confidence)
        spoken = clip.maybe(Language)
        if not self._learnt_only or spoken is None or spoken.language in (None, *LANGUAGES):
            return row
        return replace(row, emotion=None, emotion_source=FOREIGN)


def judged(chances: Sequence[float], min_confidence: float) -> Emotion:
    """The row for the probabilities of CLASSES."""
    scores = tuple(EmotionScore(label, float(p)) for label, p in zip(CLASSES, chances, strict=True))
    likeliest = max(scores, key=lambda score: score.probability)
    sure = likeliest.probability >= min_confidence
    return Emotion(CLASSES[likeliest.label] if sure else None, _SOURCE, likeliest.probability, None, scores)


def _fault(sound: Samples) -> ClipError | None:
    seconds = len(sound) / SAMPLE_RATE_HZ
    if seconds < _FEWEST_S:
        return ClipError("too_short", f"No mood can be recognised in {seconds:.3f} s of sound.")
    if not sound.any():
        return ClipError("silent", "The sound is digital silence.")
    return None
