"""The stressed word by WhiStress, read along with the transcript; what the source gives stands."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from transformers import WhisperFeatureExtractor
from whisper.tokenizer import get_encoding

from annotators._torch import Device, device_of, inference
from annotators.emphasis._given import given_emphasis
from annotators.emphasis._whistress import BACKBONE_FILES, HEAD_FILES, check, load, stress
from pipeline.annotator import BatchedAnnotator, Skip
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import Published, locate
from pipeline.options import Option
from pipeline.rows import Emphasis, Transcript
from pipeline.text import words

PROMPT = (50257, 50362)
"""Whisper's `<|startoftranscript|>` and `<|notimestamps|>`, as English-only models number them."""
END = 50256
"""Its `<|endoftext|>`: what shorter texts are padded with."""

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # whisper leaves its file of tokens open
    ENCODING = get_encoding("gpt2")

_LONGEST_S = 30  # Whisper's window
_FEWEST_SAMPLES = 400  # one frame of its log-mel spectrum


@dataclass(frozen=True, slots=True)
class Text:
    """A transcript as the model reads it. `owners[i]` is the word that token i belongs to, or None."""

    words: tuple[str, ...]
    tokens: tuple[int, ...]
    owners: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network takes in. `texts` has an entry per clip: its text, or why it is not heard."""

    texts: tuple[Text | Emphasis | Skip | ClipError, ...]
    features: torch.Tensor | None  # [n_heard, 80, 3000] log-mel; None where no clip is heard
    tokens: torch.Tensor | None  # [n_heard, n_tokens]


class WhistressAnnotator(BatchedAnnotator[Emphasis, Prepared]):
    """The word of the transcript that is likeliest to be stressed; none under `min_probability`.

    A word is as likely stressed as the likeliest of the tokens that spell it; tokens of punctuation
    count for none. Clips over 30 s, Whisper's window, are skipped.
    """

    row = Emphasis
    version = 1
    needs = (Transcript,)
    hears = "speech"
    sees = frozenset({"emphasis_word"})
    languages = frozenset({"en"})
    exact = False
    tolerance = "1e-5 of a probability; 3e-2 with half"
    batch_clips = 32
    batch_s = 960.0

    def __init__(
        self,
        *,
        model: Annotated[str, Option("hub id or folder of the classifier")] = "slprl/WhiStress",
        backbone: Annotated[
            str, Option("hub id or folder of the Whisper it was trained on")
        ] = "openai/whisper-small.en",
        min_probability: Annotated[
            float, Option("a word less likely to be stressed is not named", "", 0.0, 1.0)
        ] = 0.5,
        device: Annotated[Device, Option("where the network runs; auto: a GPU if there is one")] = "auto",
        half: Annotated[bool, Option("bfloat16 on a GPU")] = False,
    ) -> None:
        self._min_probability, self._half = min_probability, half
        self._device = device_of(device)
        network = load(locate(_backbone(backbone)), locate(_head(model)))
        self._most_tokens = network.backbone.config.max_target_positions
        self._extractor = WhisperFeatureExtractor(feature_size=network.backbone.config.num_mel_bins)
        self._network = network.to(self._device)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The two models in the options."""
        return (_head(str(options["model"])), _backbone(str(options["backbone"])))

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Compare all three files' tensors with the network's, key by key and shape by shape."""
        head, backbone = cls.published(options)
        check(locate(backbone), locate(head))

    @classmethod
    def from_given(cls, clip: Clip) -> Emphasis | None:
        """The given word; its place where the transcript has it exactly once."""
        return given_emphasis(clip)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """Log-mel spectra of the sounds, each brought to a peak of 1, and their padded texts."""
        texts: list[Text | Emphasis | Skip | ClipError] = []
        features: list[torch.Tensor] = []
        for clip in clips:
            text = self.from_given(clip) or self._text(clip)
            if isinstance(text, Text):
                features.append(self._features(clip.speech))
            texts.append(text)
        if not features:
            return Prepared(tuple(texts), None, None)
        tokens = [torch.tensor((*PROMPT, *text.tokens)) for text in texts if isinstance(text, Text)]
        together = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=END)
        return Prepared(tuple(texts), torch.stack(features), together)

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Emphasis | Skip | ClipError]:
        """One outcome per clip, in order."""
        rows = iter(self._stress(batch))
        return [self._emphasis(text, next(rows)) if isinstance(text, Text) else text for text in batch.texts]

    def _text(self, clip: Clip) -> Text | Skip | ClipError:
        sound = clip.speech
        if (fault := _fault(sound)) is not None:
            return fault
        text = read(clip.of(Transcript).transcript)
        if not text.words:
            return Skip("The transcript has no words.")
        if len(PROMPT) + len(text.tokens) > self._most_tokens:
            return ClipError(
                "too_many_words", f"{len(text.words)} words are more than the model reads of 30 s of speech."
            )
        return text

    def _features(self, sound: Samples) -> torch.Tensor:
        loud = sound / np.abs(sound).max()
        return self._extractor(loud, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_features[0]

    def _stress(self, batch: Prepared) -> list[list[float]]:
        """The probability of stress of each token of each text that is heard."""
        if batch.features is None or batch.tokens is None:
            return []
        with inference(self._device, self._half):
            logits = self._network(batch.features.to(self._device), batch.tokens.to(self._device))
        found: list[list[float]] = stress(logits)[:, len(PROMPT) - 1 :].cpu().tolist()
        return found

    def _emphasis(self, text: Text, chances: Sequence[float]) -> Emphasis:
        by_word = merged(text, chances)
        place = max(range(len(by_word)), key=lambda i: by_word[i])
        if by_word[place] < self._min_probability:
            return Emphasis(None, None, "whistress", None)
        return Emphasis(text.words[place], place, "whistress", by_word[place])


def read(transcript: str) -> Text:
    """The words of an English transcript, and the tokens that spell them."""
    tokens = ENCODING.encode_ordinary(transcript)
    _, starts = ENCODING.decode_with_offsets(tokens)
    spoken = words(transcript, "en")
    owner_of: dict[int, int] = {}  # by the place of a character
    end = 0
    for i, word in enumerate(spoken):
        start = transcript.index(word, end)
        end = start + len(word)
        owner_of.update(dict.fromkeys(range(start, end), i))
    owners = []
    for start, behind in zip(starts, [*starts, len(transcript)][1:], strict=True):
        letters = range(start, max(behind, start + 1))  # one letter can be several tokens
        owners.append(next((owner_of[c] for c in letters if c in owner_of), None))
    return Text(tuple(spoken), tuple(tokens), tuple(owners))


def merged(text: Text, chances: Sequence[float]) -> list[float]:
    """For each word the highest of its tokens' chances; `chances` may go on behind the text."""
    by_word = [0.0] * len(text.words)
    for owner, chance in zip(text.owners, chances, strict=False):
        if owner is not None:
            by_word[owner] = max(by_word[owner], chance)
    return by_word


def _fault(sound: Samples) -> Skip | ClipError | None:
    seconds = len(sound) / SAMPLE_RATE_HZ
    if len(sound) < _FEWEST_SAMPLES:
        return ClipError("too_short", f"No stress can be heard in {seconds:.3f} s of sound.")
    if len(sound) > _LONGEST_S * SAMPLE_RATE_HZ:
        return Skip(f"Hears up to {_LONGEST_S} s; the clip lasts {seconds:.1f} s.")
    if not sound.any():
        return ClipError("silent", "The sound is digital silence.")
    return None


def _head(model: str) -> Published:
    return Published(
        name=model,
        files=HEAD_FILES,
        licence="none stated",
        commercial=False,
        size_bytes=42_600_000,
        about="the stressed word of English speech; a layer and a classifier on whisper-small.en",
    )


def _backbone(model: str) -> Published:
    return Published(
        name=model,
        files=BACKBONE_FILES,
        licence="Apache-2.0",
        commercial=True,
        size_bytes=967_000_000,
        about="whisper-small.en, whose layers WhiStress reads",
    )
