"""The text as given; else what OpenAI's Whisper hears, in a hundred languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch

from annotators import _whisper
from annotators._torch import Device
from annotators.transcript._given import given_transcript
from annotators.transcript._whisper_decode import decode
from annotators.transcript._whisper_fallback import TEMPERATURES, Attempt, joined
from annotators.transcript._whisper_windows import windows
from pipeline.annotator import BatchedAnnotator, Model, Skip
from pipeline.clip import Clip
from pipeline.models import Published
from pipeline.options import Option
from pipeline.rows import Language, Transcript
from pipeline.text import clean, words


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a clip of at most 30 s, as the network takes it in."""

    clip: int
    seed: str
    mels: torch.Tensor  # [n_mels, 3000]


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a batch, clip by clip; `done` holds the clips that need none."""

    windows: list[Window]
    done: dict[int, Transcript | Skip]


class WhisperAnnotator(BatchedAnnotator[Transcript, Windows]):
    """Given text with a word in it is the transcript; else the clip is decoded, batched over its windows.

    The language is the clip's own where Whisper knows it, else Whisper's guess. A window whose text
    repeats itself or is unlikely is decoded again at higher temperatures, alone. Sound in which no
    frame is speech never reaches the network, which makes up words for silence. A clip longer than
    30 s is cut at pauses. `transcript_confidence` is the geometric mean of the tokens' probabilities.
    """

    row = Transcript
    version = 1
    wants = (Language,)
    hears = "speech"
    sees = frozenset({"text"})
    exact = False
    tolerance = (
        "the same tokens, avg_logprob within 1e-5; in half precision a tie between tokens may fall otherwise"
    )
    batch_clips = _whisper.WINDOWS
    batch_s = 30.0 * _whisper.WINDOWS

    def __init__(
        self,
        *,
        model: Annotated[
            str, Option("a published name (large-v3, turbo), a .pt file, or a folder that holds one")
        ] = _whisper.DEFAULT,
        device: Annotated[
            Device, Option("where the network runs; auto takes a GPU where there is one")
        ] = "auto",
        half: Annotated[bool, Option("half precision on a GPU")] = True,
        temperatures: Annotated[
            tuple[float, ...], Option("tried in turn until the text of a window stands")
        ] = TEMPERATURES,
    ) -> None:
        self._network = _whisper.load(model, device, half)
        self._temperatures = temperatures

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The checkpoint."""
        return _whisper.published(options)

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The checkpoint as found on this machine, Whisper's own cache included."""
        return _whisper.models(options)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """The checkpoint is whole, and has every tensor in its shape."""
        _whisper.check(options)

    @classmethod
    def from_given(cls, clip: Clip) -> Transcript | None:
        """The given text, cleaned; None where it has no letter or digit."""
        return given_transcript(clip)

    def prepare(self, clips: Sequence[Clip]) -> Windows:
        """Where speech is, and the log-mel spectrum of each window."""
        batch = Windows([], {})
        for i, clip in enumerate(clips):
            done = self.from_given(clip) or self._not_served(clip)
            if done is not None:
                batch.done[i] = done
                continue
            speech = clip.speech
            pieces = windows(speech)
            if not pieces:
                batch.done[i] = Skip("No speech was found in the sound.")
            for part, piece in enumerate(pieces):
                mels = _whisper.log_mels(speech[piece], self._network.dims.n_mels)
                batch.windows.append(Window(i, f"{clip.id}/{part}", mels))
        return batch

    def infer(self, clips: Sequence[Clip], batch: Windows) -> list[Transcript | Skip]:
        """Encode, tell the language where it is open, decode, join."""
        languages = [self._language(clip) for clip in clips]
        heard: list[list[Attempt]] = [[] for _ in clips]
        with torch.inference_mode():
            for start in range(0, len(batch.windows), _whisper.WINDOWS):
                self._hear(batch.windows[start : start + _whisper.WINDOWS], languages, heard)
        return [batch.done.get(i) or _outcome(heard[i], languages[i]) for i in range(len(clips))]

    def _hear(self, group: list[Window], languages: list[str | None], heard: list[list[Attempt]]) -> None:
        """Decode a group of windows; the first window of a clip tells the language of all."""
        features = _whisper.encoded(self._network, [window.mels for window in group])
        first: dict[int, int] = {}
        for i, window in enumerate(group):
            if languages[window.clip] is None:
                first.setdefault(window.clip, i)
        if first:
            found = _whisper.detected(self._network, features[list(first.values())])
            for clip, (language, _) in zip(first, found, strict=True):
                languages[clip] = language
        spoken = [languages[window.clip] or "en" for window in group]
        seeds = [window.seed for window in group]
        attempts = decode(self._network, features, spoken, seeds, self._temperatures)
        for window, attempt in zip(group, attempts, strict=True):
            heard[window.clip].append(attempt)

    def _language(self, clip: Clip) -> str | None:
        """Whisper's code of the clip's language; None where it must be detected."""
        if not self._network.is_multilingual:
            return "en"
        row = clip.maybe(Language)
        return None if row is None else _whisper.whisper_code(self._network, row.language)

    def _not_served(self, clip: Clip) -> Skip | None:
        row = clip.maybe(Language)
        if self._network.is_multilingual or row is None or row.language in (None, "en"):
            return None
        return Skip(f"The model knows only English, not {row.language}.")


def _outcome(heard: Sequence[Attempt], language: str | None) -> Transcript | Skip:
    said = joined(heard, language)
    if said is None or not words(text := clean(said.text)):
        return Skip("No speech was recognised.")
    return Transcript(
        text,
        said.text,
        "whisper",
        said.confidence,
        said.avg_logprob,
        said.no_speech_prob,
        said.compression_ratio,
    )
