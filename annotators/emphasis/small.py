"""The word stressed most, by the project's own small network; what the source gives stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np

from annotators._small import Network, facts, model
from annotators.emphasis._features import features
from annotators.emphasis._given import given_emphasis
from annotators.emphasis._units import Unit, units
from pipeline.annotator import Annotator, Model
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Emphasis, Language, Pitch, Transcript, Words

WEIGHTS = Path(__file__).with_name("small.onnx")
SOURCE = "small"
_FEWEST_WORDS = 2
_NO_CONTOUR = np.zeros(0, np.float32)
_HOP_S = 0.005


class SmallAnnotator(Annotator[Emphasis]):
    """The likeliest word, where it is likely enough; most read sentences stress none, and get a null.

    In Chinese it is a word of several characters: `emphasis_index` is the place of its first. A clip of one
    word has none that stands out. Without `pitch` it goes by length, level and spectrum alone.
    """

    row = Emphasis
    version = 1
    needs = (Words,)
    wants = (Transcript, Language, Pitch)
    hears = "speech"
    sees = frozenset({"emphasis_word"})

    def __init__(
        self,
        *,
        min_probability: Annotated[
            float | None,
            Option("a word less likely to be stressed is not named; none: as its card says", "", 0.0, 1.0),
        ] = None,
    ) -> None:
        named_from = facts(WEIGHTS)["min_probability"]
        self._min_probability = float(named_from if min_probability is None else min_probability)
        self._network = Network(WEIGHTS)

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The shipped weights."""
        return (model(WEIGHTS),)

    @classmethod
    def from_given(cls, clip: Clip) -> Emphasis | None:
        """The given word; its place where the transcript has it exactly once."""
        return given_emphasis(clip)

    def annotate(self, clips: Sequence[Clip]) -> list[Emphasis]:
        """One row per clip; `emphasis_scores` holds prominences about as listeners mark them, 0 to 3."""
        return [self.from_given(clip) or self._heard(clip) for clip in clips]

    def _heard(self, clip: Clip) -> Emphasis:
        spoken = clip.of(Words)
        found = units(spoken.words, _text(clip), _language(clip))
        if len(found) < _FEWEST_WORDS:
            return Emphasis(None, None, SOURCE, None)
        scores, chances = self._judged(clip, found)
        best = int(np.argmax(chances))
        by_token = tuple(
            float(scores[i]) for i, unit in enumerate(found) for _ in range(unit.first, unit.last + 1)
        )
        if chances[best] < self._min_probability:
            return Emphasis(None, None, SOURCE, None, by_token)
        return Emphasis(found[best].text, found[best].first, SOURCE, float(chances[best]), by_token)

    def _judged(self, clip: Clip, found: Sequence[Unit]) -> tuple[np.ndarray, np.ndarray]:
        """The score of every word, and the probability that it is the stressed one."""
        pitch = clip.maybe(Pitch)
        contour, hop_s = (_NO_CONTOUR, _HOP_S) if pitch is None else (pitch.f0_hz, pitch.f0_hop_s)
        known = features(clip.speech, found, contour, hop_s)
        outputs = self._network(pictures=known.pictures, numbers=known.numbers)
        return outputs["scores"], outputs["chances"]


def _text(clip: Clip) -> str:
    transcript = clip.maybe(Transcript)
    return "" if transcript is None else transcript.transcript


def _language(clip: Clip) -> str | None:
    language = clip.maybe(Language)
    return None if language is None else language.language
