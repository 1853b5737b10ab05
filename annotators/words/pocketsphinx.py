"""Word times by the English acoustic model of pocketsphinx, German too; by syllable nuclei elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated

from annotators.words._aligned import align
from annotators.words._english import Spoken, spoken
from annotators.words._german import spoken_german
from annotators.words._nuclei import rhythm, spread
from annotators.words._signs import with_signs
from annotators.words._syllables import in_text
from pipeline.annotator import Annotator, Model
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Language, Transcript, Word, Words
from pipeline.text import words

_MIN_S = 0.1
_TEXT_PER_S = 200  # characters; more is no transcript, whatever its words
_LEAST_ENGLISH = 0.5  # share of words with an English pronunciation under which the text is not English
_SPOKEN: dict[str | None, Callable[[str], Spoken]] = {"en": spoken, None: spoken, "de": spoken_german}
"""Languages whose words the English model is told how to read; others go by nuclei."""


class PocketsphinxAnnotator(Annotator[Words]):
    """Every word of the transcript gets a time; a clip fails only if it has no words, no sound, or too many.

    `words_confidence` is near 1 where the sound fits the text and near 0 where something else was said;
    noise and foreign accents lower it too. Times by nuclei are guesses and never get more than 0.5. German
    is read into the nearest English phones: 11 ms from EmoDB's labels in the middle, 89 % within 50 ms.
    """

    row = Words
    version = 2
    needs = (Transcript,)
    wants = (Language,)
    hears = "speech"

    def __init__(
        self,
        *,
        max_words_per_s: Annotated[
            float, Option("a text with more words per second is not that of the clip", "1/s", 1.0, 50.0)
        ] = 15.0,
        beam_nats: Annotated[
            float,
            Option("states this far under the best are given up; without a path, none is", "nats", 50.0),
        ] = 200.0,
    ) -> None:
        self._max_words_per_s = max_words_per_s
        self._beams = (beam_nats, math.inf)

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The acoustic model and dictionary in the wheel."""
        wheel = f"pocketsphinx {version('pocketsphinx')}"
        return (Model("en-us", wheel, "BSD-2-Clause", source="package pocketsphinx"),)

    def annotate(self, clips: Sequence[Clip]) -> list[Words | ClipError]:
        """Words as they stand in the transcript, in order, within the clip."""
        return [self._align(clip) for clip in clips]

    def _align(self, clip: Clip) -> Words | ClipError:
        text, sound = clip.of(Transcript).transcript, clip.speech
        seconds = len(sound) / SAMPLE_RATE_HZ
        if seconds < _MIN_S:
            return ClipError("too_short", f"Words cannot be placed in {seconds:.3f} s of sound.")
        if not sound.any():
            return ClipError("silent", "The sound is digital silence.")
        if len(text) > _TEXT_PER_S * seconds + _TEXT_PER_S:
            return ClipError("too_many_words", f"{len(text)} characters cannot be said in {seconds:.2f} s.")
        language = _language(clip)
        tokens = words(text, language)
        if not tokens:
            return ClipError("no_words", "The transcript has no words.")
        if len(tokens) > max(1.0, self._max_words_per_s * seconds):
            return ClipError("too_many_words", f"{len(tokens)} words cannot be said in {seconds:.2f} s.")
        if language in _SPOKEN:
            said = [_SPOKEN[language](word) for word in with_signs(text, tokens)]
            if sum(s.speakable for s in said) >= _LEAST_ENGLISH * len(said):
                for beam in self._beams:
                    found = align(sound, tokens, said, beam)
                    if found is not None:
                        return found
        return _by_nuclei(sound, tokens, language)


def _language(clip: Clip) -> str | None:
    row = clip.maybe(Language)
    return None if row is None or row.language is None else row.language.lower().partition("-")[0]


def _by_nuclei(sound: Samples, tokens: Sequence[str], language: str | None) -> Words | ClipError:
    """Times of the nuclei that the words' syllables fall on; no phones."""
    heard = rhythm(sound)
    if not len(heard.speech):
        return ClipError("silent", "There is no speech in the sound.")
    counts = [in_text(word, language) for word in tokens]
    syllables = spread(heard, sum(counts))
    found: list[Word] = []
    first = 0
    for token, n in zip(tokens, counts, strict=True):
        start_s, end_s = syllables[first][0], syllables[first + n - 1][1]
        found.append(Word(token, start_s, end_s, n, 0, "nuclei"))
        first += n
    n_heard = max(1, len(heard.nuclei))
    agreement = min(first, n_heard) / max(first, n_heard)
    return Words(tuple(found), (), "nuclei", 0.5 * agreement)
