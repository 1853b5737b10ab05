"""Word times in any language by torchaudio's MMS_FA, which aligns romanised text to sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torchaudio.functional import TokenSpan, forced_align, merge_tokens

from annotators._torch import Device
from annotators.words._english import spoken
from annotators.words._mms import FEWEST_SAMPLES, LABELS, Hearing, check, published, windows_of
from annotators.words._romanised import Romaniser
from annotators.words._syllables import in_text
from pipeline.annotator import BatchedAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import Published
from pipeline.options import Option
from pipeline.rows import Language, Transcript, Word, Words
from pipeline.text import words

_BLANK, _ANYTHING = 0, len(LABELS)  # a column for any sound is added behind the model's
_ANYTHING_NATS = 0.5
"""How much less likely than the likeliest label any sound is, so that the letters beside an unknown word
stay with their words, and pauses stay pauses."""
_NUMBER = {label: i for i, label in enumerate(LABELS)}
_MAX_CELLS = 250_000_000
"""Frames x letters of the search: 0.5 GB and 2 s, for ten minutes of speech. At 2**30, where torchaudio's
index overflows, the search brings the process down."""
_TEXT_PER_S = 200  # characters; more is no transcript, whatever its words


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a clip; `romanised` is empty for a word whose sound is unknown."""

    tokens: tuple[str, ...]
    romanised: tuple[str, ...]
    language: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text per clip or why there is none, and the windows of the clips that have one, in order."""

    texts: tuple[Text | ClipError, ...]
    windows: tuple[tuple[Samples, ...], ...]


class MmsAnnotator(BatchedAnnotator[Words, Prepared]):
    """Every word of the transcript gets the time of its letters, in any language that uroman can romanise.

    A word of unknown sound (a figure outside English, an emoji) gets the time its neighbours leave, and
    is marked `interpolated`. `words_confidence` is the mean probability of the letters where they were
    placed. There are no phones; their number is the dictionary's, for English alone. Clips over 30 s are
    heard in windows with 3 s of context. A clip fails if it has no words, no sound or too many words.
    """

    row = Words
    version = 1
    needs = (Transcript,)
    wants = (Language,)
    hears = "speech"
    exact = False
    tolerance = "20 ms (one frame) where two paths are equally likely, and 1e-4 of the confidence"
    batch_clips = 32
    batch_s = 120.0

    def __init__(
        self,
        *,
        model: Annotated[
            str, Option("name under $SPEECHCRAFT_MODELS, a folder or a file")
        ] = "torchaudio/mms_fa",
        device: Annotated[Device, Option("where the network runs; auto: a GPU if there is one")] = "auto",
        half: Annotated[bool, Option("bfloat16 on a GPU")] = False,
    ) -> None:
        self._hearing = Hearing(model, device, half)
        self._romanise = Romaniser()

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The model in the option."""
        return (published(str(options["model"])),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Compare the file's tensors with the network's, key by key and shape by shape."""
        check(str(options["model"]))

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """Romanised texts, and sounds brought to zero mean and unit variance clip by clip."""
        texts = tuple(self._text(clip) for clip in clips)
        return Prepared(
            texts,
            tuple(
                windows_of(clip.speech)
                for clip, text in zip(clips, texts, strict=True)
                if isinstance(text, Text)
            ),
        )

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Words | ClipError]:
        """Words as they stand in the transcript, in order, within the clip."""
        chances = iter(self._hearing.chances(batch.windows))
        return [
            text if isinstance(text, ClipError) else _aligned(text, next(chances), len(clip.speech))
            for clip, text in zip(clips, batch.texts, strict=True)
        ]

    def _text(self, clip: Clip) -> Text | ClipError:
        text, sound = clip.of(Transcript).transcript, clip.speech
        seconds = len(sound) / SAMPLE_RATE_HZ
        if len(sound) < FEWEST_SAMPLES:
            return ClipError("too_short", f"Words cannot be placed in {seconds:.3f} s of sound.")
        if not sound.any():
            return ClipError("silent", "The sound is digital silence.")
        if len(text) > _TEXT_PER_S * (seconds + 1):
            return ClipError("too_many_words", f"{len(text)} characters cannot be said in {seconds:.2f} s.")
        language = _language(clip)
        tokens = words(text, language)
        if not tokens:
            return ClipError("no_words", "The transcript has no words.")
        romanised = self._romanise(text, tokens, language)
        if not any(romanised):
            return ClipError("not_romanised", "No word of the transcript can be written in Latin letters.")
        return Text(tuple(tokens), tuple(romanised), language)


def _language(clip: Clip) -> str | None:
    row = clip.maybe(Language)
    return None if row is None or row.language is None else row.language.lower().partition("-")[0]


def _aligned(text: Text, chances: torch.Tensor, n_samples: int) -> Words | ClipError:
    """The words at the likeliest path through the frames."""
    targets = [[_NUMBER[letter] for letter in word] or [_ANYTHING] for word in text.romanised]
    n_letters = sum(map(len, targets))
    if len(chances) * n_letters > _MAX_CELLS:
        return ClipError("too_long", f"{n_letters} letters in {len(chances)} frames are too many to align.")
    spans = _placed(chances, [number for word in targets for number in word])
    if spans is None:
        return ClipError(
            "too_many_words", f"{n_letters} letters cannot be said in {n_samples / SAMPLE_RATE_HZ:.2f} s."
        )

    def seconds(frame: int) -> float:
        return frame * n_samples / (len(chances) * SAMPLE_RATE_HZ)

    of_letters = [span.score for span in spans if span.token != _ANYTHING]
    rest = iter(spans)
    found = []
    for token, word, romanised in zip(text.tokens, targets, text.romanised, strict=True):
        mine = [next(rest) for _ in word]
        n_syllables = in_text(token, text.language)
        n_phones = _phones(token) if text.language == "en" else 0
        by = "romanised" if romanised else "interpolated"
        found.append(Word(token, seconds(mine[0].start), seconds(mine[-1].end), n_syllables, n_phones, by))
    return Words(tuple(found), (), "mms", sum(of_letters) / len(of_letters))


def _placed(chances: torch.Tensor, targets: list[int]) -> list[TokenSpan] | None:
    """Where each target is; None if they do not fit into the frames."""
    anything = chances.amax(dim=1, keepdim=True) - _ANYTHING_NATS
    with_anything = torch.cat([chances, anything], dim=1)
    try:
        path, scores = forced_align(with_anything[None], torch.tensor([targets], dtype=torch.int32))
    except RuntimeError as error:
        if "targets length is too long" in str(error):
            return None
        raise
    spans: list[TokenSpan] = merge_tokens(path[0], scores[0].exp(), _BLANK)
    return spans


def _phones(token: str) -> int:
    said = spoken(token)
    return len(said.ways[0]) if said.speakable else 0
