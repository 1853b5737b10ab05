"""Whisper through CTranslate2: the given text, else what is heard, several times as fast as in torch.

Sound up to 30 s is one window; longer sound is cut where nobody speaks. All windows of a batch are
encoded and decoded together. A window whose text repeats itself or is improbable is decoded again with
a wider beam, then without repeated word triples. Both are deterministic; sampled text would not be:
CTranslate2 draws from a generator that cannot be reseeded once a worker has used it (the same seed gave
another text). What is silence by Whisper's own measure is no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from ctranslate2 import get_cuda_device_count  # type: ignore[import-untyped]  # ships no types
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens

from annotators.transcript._ctranslate2 import FILES, check_whisper
from annotators.transcript._given import given_transcript
from annotators.transcript._whisper_fallback import Attempt, joined, settled, stands
from annotators.transcript._whisper_windows import windows
from pipeline.annotator import BatchedAnnotator, Skip
from pipeline.clip import Clip
from pipeline.models import ModelError, Published, locate
from pipeline.options import Option
from pipeline.rows import Language, Transcript
from pipeline.text import clean, words

LARGE_V3 = "Systran/faster-whisper-large-v3"
_TURBO = "deepdml/faster-whisper-large-v3-turbo-ct2"
_SIZES = {LARGE_V3: 3_090_000_000, _TURBO: 1_620_000_000}
_CODES = {"fil": "tl", "jv": "jw", "nb": "no"}  # as Whisper spells them
_AT_ONCE = 16  # windows: their keys and values for cross-attention are 4 GB in large-v3
_MAX_TOKENS = 448  # of prompt and text: the decoder's positions
_WIDE_BEAM = 5
_NO_REPEAT = 3  # tokens

Device = Literal["auto", "cpu", "cuda"]
Features = npt.NDArray[np.float32]  # [n_windows, n_mels, 3000]


@dataclass(frozen=True, slots=True)
class Windows:
    """Features of the windows to decode; whose they are, by the clip's place; the clips without any."""

    features: Features
    owners: tuple[int, ...]
    codes: Mapping[int, str]
    done: Mapping[int, Transcript | Skip]


class FasterWhisperAnnotator(BatchedAnnotator[Transcript, Windows]):
    """The language is the clip's where Whisper knows it, else Whisper's guess in the first window.

    Sound in which no frame is speech never reaches the network. `transcript_confidence` is the geometric
    mean of the tokens' probabilities.
    """

    row = Transcript
    version = 1
    wants = (Language,)
    hears = "speech"
    sees = frozenset({"text"})
    exact = False
    tolerance = "the same words; avg_logprob and no_speech_prob within 1e-3"
    sorts_by_length = False  # every window is padded to 30 s

    def __init__(
        self,
        *,
        model: Annotated[str, Option("hub id or folder of a Whisper in CTranslate2's format")] = LARGE_V3,
        device: Annotated[Device, Option("where it runs")] = "auto",
        half: Annotated[bool, Option("16-bit floats on a GPU")] = True,
        int8: Annotated[bool, Option("8-bit weights: half the memory, a little less exact")] = False,
        beam_size: Annotated[int, Option("hypotheses kept in the first decoding", "", 1, 10)] = 1,
        fallback: Annotated[bool, Option("text that is improbable or repeats itself is decoded anew")] = True,
    ) -> None:
        folder = locate(self.published({"model": model})[0]).folder
        place = _device(device)
        self._whisper = WhisperModel(str(folder), device=place, compute_type=_numbers(place, half, int8))
        self._languages = frozenset(self._whisper.supported_languages)
        self._suppressed = list(get_suppressed_tokens(self._tokenizer("en"), [-1]))
        wide = {"beam_size": max(beam_size, _WIDE_BEAM)}
        again = [wide, {**wide, "no_repeat_ngram_size": _NO_REPEAT}][beam_size >= _WIDE_BEAM :]
        self._attempts = ({"beam_size": beam_size}, *(again if fallback else ()))

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """OpenAI's Whisper, as others converted it to CTranslate2."""
        name = str(options.get("model", LARGE_V3))
        size = _SIZES.get(name, _SIZES[LARGE_V3])
        return (Published(name, FILES, "MIT", True, size, "speech recognition in 100 languages"),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Every tensor is there, of the right shape; the vocabulary and the features belong to them."""
        (published,) = cls.published(options)
        check_whisper(published.name, locate(published).folder)

    @classmethod
    def from_given(cls, clip: Clip) -> Transcript | None:
        """The given text, cleaned; None where it has no letter or digit."""
        return given_transcript(clip)

    def prepare(self, clips: Sequence[Clip]) -> Windows:
        """The features of every window in which somebody speaks."""
        features: list[Features] = []
        owners: list[int] = []
        codes: dict[int, str] = {}
        done: dict[int, Transcript | Skip] = {}
        for place, clip in enumerate(clips):
            outcome = self.from_given(clip) or self._code(clip)
            if isinstance(outcome, Transcript | Skip):
                done[place] = outcome
                continue
            if outcome is not None:
                codes[place] = outcome
            speech = clip.speech
            heard = [self._whisper.feature_extractor(speech[part])[..., :-1] for part in windows(speech)]
            features += map(pad_or_trim, heard)
            owners += [place] * len(heard)
            if not heard:
                done[place] = Skip("No speech was found in the sound.")
        stacked = np.stack(features) if features else np.zeros((0, 0, 0), np.float32)
        return Windows(stacked, tuple(owners), codes, done)

    def infer(self, clips: Sequence[Clip], batch: Windows) -> list[Transcript | Skip]:
        """One transcript a clip."""
        codes = dict(batch.codes)
        heard: list[list[Attempt]] = [[] for _ in clips]
        for start in range(0, len(batch.owners), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            owners = batch.owners[part]
            decoded = self._decoded(batch.features[part], owners, codes)
            for owner, attempt in zip(owners, decoded, strict=True):
                heard[owner].append(attempt)
        return [batch.done.get(i) or _outcome(heard[i], codes[i]) for i in range(len(clips))]

    def _code(self, clip: Clip) -> str | Skip | None:
        """The clip's language as Whisper spells it; None where it must be detected."""
        row = clip.maybe(Language)
        if row is None or row.language is None:
            return None
        code = _CODES.get(row.language, row.language)
        if not self._whisper.model.is_multilingual and code != "en":
            return Skip(f"The model knows only English, not {row.language}.")
        return code if code in self._languages else None

    def _decoded(self, features: Features, owners: Sequence[int], codes: dict[int, str]) -> list[Attempt]:
        """What is heard in each window; the languages that are detected are added to `codes`."""
        encoded = self._whisper.encode(features)
        if any(owner not in codes for owner in owners):
            for owner, code in zip(owners, self._detected(encoded, len(owners)), strict=True):
                codes.setdefault(owner, code)
        prompts = [self._prompt(codes[owner]) for owner in owners]
        tried: list[list[Attempt]] = [[] for _ in owners]
        todo = list(range(len(owners)))
        for settings in self._attempts:
            if len(todo) < len(owners):
                encoded = self._whisper.encode(features[todo])
            found = self._generated(encoded, [prompts[i] for i in todo], settings)
            for i, attempt in zip(todo, found, strict=True):
                tried[i].append(attempt)
            todo = [i for i in todo if not stands(tried[i][-1])]
            if not todo:
                break
        return [settled(attempts) for attempts in tried]

    def _detected(self, encoded: Any, n_windows: int) -> list[str]:
        if not self._whisper.model.is_multilingual:
            return ["en"] * n_windows
        return [ranked[0][0][2:-2] for ranked in self._whisper.model.detect_language(encoded)]  # <|en|>

    def _generated(
        self, encoded: Any, prompts: list[list[int]], settings: Mapping[str, int]
    ) -> Iterator[Attempt]:
        results = self._whisper.model.generate(
            encoded,
            prompts,
            max_length=_MAX_TOKENS,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
            **settings,
        )
        for result in results:
            tokens = result.sequences_ids[0]
            text = self._tokenizer("en").decode(tokens).strip()
            avg_logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)  # the end of text is one too
            yield Attempt(
                text, tuple(tokens), avg_logprob, result.no_speech_prob, get_compression_ratio(text), 0.0
            )

    def _prompt(self, code: str) -> list[int]:
        prompt: list[int] = self._whisper.get_prompt(self._tokenizer(code), [], without_timestamps=True)
        return prompt

    def _tokenizer(self, code: str) -> Tokenizer:
        model = self._whisper
        return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", code)


def _outcome(heard: Sequence[Attempt], code: str) -> Transcript | Skip:
    said = joined(heard, code)
    if said is None or not words(text := clean(said.text)):
        return Skip("No speech was recognised.")
    return Transcript(
        text,
        said.text,
        "faster_whisper",
        said.confidence,
        said.avg_logprob,
        said.no_speech_prob,
        said.compression_ratio,
    )


def _device(name: Device) -> str:
    if name == "cuda" and get_cuda_device_count() == 0:
        raise ModelError("The option device=cuda asks for a GPU, and CTranslate2 finds none.")
    if name == "auto":
        return "cuda" if get_cuda_device_count() > 0 else "cpu"
    return name


def _numbers(device: str, half: bool, int8: bool) -> str:
    """The type CTranslate2 computes in."""
    floats = "float16" if half and device == "cuda" else "float32"
    return f"int8_{floats}" if int8 else floats
