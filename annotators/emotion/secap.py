"""The mood of a Chinese voice in a sentence, by SECap; what the source gives stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import torch
from sentencepiece import SentencePieceProcessor
from transformers import Wav2Vec2FeatureExtractor

from annotators._torch import Device, device_of, middle
from annotators.emotion import _secap_files, _secap_network, _secap_selection
from annotators.emotion._domains import NEUTRAL_DOMAINS, given_emotion, neutral_by_domain
from annotators.emotion._secap_files import MODEL, TOKENIZER, Files
from annotators.emotion._secap_selection import Pick, Similarity, chosen
from pipeline.annotator import BatchedAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import ModelError, Published
from pipeline.options import Option
from pipeline.rows import Emotion
from pipeline.text import clean

PROMPT = "请用一句中文简述音频里说话者的情感表现："
"""As released: describe in one Chinese sentence how the speaker shows emotion."""
N_SENTENCES = 8  # written for each clip, one of which stands
SOURCE = "secap"

_FEWEST_SAMPLES = 400  # the convolutions make their first frame of 25 ms


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network takes in. `known` has an entry per clip: its outcome, or None where it is heard."""

    known: tuple[Emotion | ClipError | None, ...]
    values: torch.Tensor | None  # [n_heard, n_samples], each normalised by itself; None where none is heard
    mask: torch.Tensor | None  # [n_heard, n_samples], 1 where there is sound


class SecapAnnotator(BatchedAnnotator[Emotion, Prepared]):
    """One of eight sentences sampled for a clip, by chance that depends on the clip's id alone.

    The class and its confidence are null: the model names no classes, and how alike its sentences are
    is no probability. Clips of `neutral_domains` are neutral unheard. Only the middle `max_s` of a
    longer clip are heard, since attention grows with the square of the length. Chinese only.
    """

    row = Emotion
    version = 1
    hears = "speech"
    sees = frozenset({"emotion", "domain"})
    languages = frozenset({"zh"})
    exact = False
    tolerance = "1e-5 of what is heard; a sampled sentence may still differ between machines and batches"
    batch_clips = 16
    batch_s = 160.0

    def __init__(
        self,
        *,
        model: Annotated[
            str, Option("hub id, or folder with model.ckpt and the release's folder weights")
        ] = MODEL,
        hubert: Annotated[
            str | None, Option("hub id or folder of HuBERT's settings; none: as released")
        ] = None,
        text2vec: Annotated[
            str | None, Option("hub id or folder of text2vec's settings; none: as released")
        ] = None,
        llama: Annotated[
            str | None, Option("hub id or folder of LLaMA's settings and vocabulary; none: as released")
        ] = None,
        bert: Annotated[
            str | None, Option("hub id or folder of the Q-Former's settings; none: as released")
        ] = None,
        similarity: Annotated[
            str | None, Option("hub id or folder of what compares sentences; none: as released")
        ] = None,
        pick: Annotated[
            Pick, Option("of the sentences most alike, the first (as released), or the most alike")
        ] = "first",
        neutral_domains: Annotated[
            tuple[str, ...], Option("domains whose clips are neutral, unheard")
        ] = NEUTRAL_DOMAINS,
        max_s: Annotated[float, Option("of a longer clip, its middle is heard", "s", 1.0, 120.0)] = 30.0,
        device: Annotated[Device, Option("where the network runs; auto: a GPU if there is one")] = "auto",
        half: Annotated[bool, Option("LLaMA in 16 bits, as released: 14 GB; false: 28 GB in 32 bits")] = True,
    ) -> None:
        names = {"hubert": hubert, "text2vec": text2vec, "llama": llama, "bert": bert}
        files = _secap_files.locate_all({"model": model, "similarity": similarity, **names})
        self._pick, self._neutral_domains, self._max_s = pick, neutral_domains, max_s
        self._device = device_of(device)
        self._extractor = Wav2Vec2FeatureExtractor.from_pretrained(files.hubert, local_files_only=True)
        self._tokenizer = _tokenizer(files)
        self._prompt = [self._tokenizer.bos_id(), *self._tokenizer.encode(PROMPT)]
        self._sampling = _secap_network.sampling(
            self._tokenizer.bos_id(), self._tokenizer.eos_id(), self._tokenizer.unk_id()
        )
        self._network = _secap_network.load(files, self._device, _language_dtype(self._device, half))
        self._similarity = Similarity(files, self._device)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The checkpoint, and what its parts are read from."""
        return _secap_files.published(options)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Compare the checkpoint's tensors with the network's, key by key and shape by shape."""
        files = _secap_files.locate_all(options)
        _secap_network.check(files)
        _secap_selection.check(files)
        _tokenizer(files)

    @classmethod
    def from_given(cls, clip: Clip) -> Emotion | None:
        """The given mood, where its word is known."""
        return given_emotion(clip)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """The middle of each clip that must be heard, normalised by itself, then padded."""
        known: list[Emotion | ClipError | None] = []
        heard: list[Samples] = []
        for clip in clips:
            outcome: Emotion | ClipError | None = self._unheard(clip)
            if outcome is None:
                sound = middle(clip.speech, self._max_s)
                outcome = _fault(sound)
                if outcome is None:
                    heard.append(sound)
            known.append(outcome)
        if not heard:
            return Prepared(tuple(known), None, None)
        features = self._extractor(
            heard,
            sampling_rate=SAMPLE_RATE_HZ,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        return Prepared(tuple(known), features.input_values, features.attention_mask)

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Emotion | ClipError]:
        """One row per clip, in order. The sound goes through in one batch, the writing clip by clip."""
        if batch.values is None or batch.mask is None:
            return [outcome for outcome in batch.known if outcome is not None]
        with torch.inference_mode():
            summaries = self._network.summary(batch.values.to(self._device), batch.mask.to(self._device))
        rows = iter(summaries)
        return [
            outcome or self._described(clip, next(rows))
            for clip, outcome in zip(clips, batch.known, strict=True)
        ]

    def _unheard(self, clip: Clip) -> Emotion | None:
        return self.from_given(clip) or neutral_by_domain(clip, self._neutral_domains)

    def _described(self, clip: Clip, summary: torch.Tensor) -> Emotion | ClipError:
        sentences = self._sentences(clip.id, summary)
        caption = clean(sentences[chosen(self._similarity(sentences), self._pick)])
        if not caption:
            return ClipError("no_caption", "The model wrote no sentence.")
        return Emotion(None, SOURCE, None, caption)

    def _sentences(self, clip_id: str, summary: torch.Tensor) -> list[str]:
        """N_SENTENCES sentences on a clip, of its summary, [N_QUERIES, n_summary]."""
        with torch.inference_mode(), _seeded(clip_id, self._device):
            opening = self._network.opening(summary[None], self._prompt).repeat(N_SENTENCES, 1, 1)
            texts = self._network.write(opening, self._sampling)
        return [self._text(tokens) for tokens in texts]

    def _text(self, tokens: Sequence[int]) -> str:
        signs = {self._tokenizer.bos_id(), self._tokenizer.eos_id(), self._tokenizer.unk_id()}
        text: str = self._tokenizer.decode([token for token in tokens if token not in signs])
        return text


def _tokenizer(files: Files) -> SentencePieceProcessor:
    """LLaMA's own tokenizer: transformers 5's reading of the same file adds no sign that text begins."""
    file = files.llama / TOKENIZER
    tokenizer = SentencePieceProcessor()
    try:
        tokenizer.Load(str(file))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{file} is no sentencepiece model, or is cut short.") from error
    return tokenizer


def _language_dtype(device: torch.device, half: bool) -> torch.dtype:
    if not half:
        return torch.float32
    return torch.float16 if device.type == "cuda" else torch.bfloat16  # as released; what processors have


def _fault(sound: Samples) -> ClipError | None:
    if len(sound) < _FEWEST_SAMPLES:
        seconds = len(sound) / SAMPLE_RATE_HZ
        return ClipError("too_short", f"No mood can be described in {seconds:.3f} s of sound.")
    if not sound.any():
        return ClipError("silent", "The sound is digital silence.")
    return None


@contextmanager
def _seeded(clip_id: str, device: torch.device) -> Iterator[None]:
    """Chance that depends on the clip's id alone; afterwards it goes on as if nothing had been drawn."""
    seed = int.from_bytes(hashlib.blake2b(clip_id.encode(), digest_size=8).digest(), "big", signed=True)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
