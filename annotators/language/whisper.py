"""The language as given; else as OpenAI's Whisper hears it in the first half minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from whisper.audio import N_SAMPLES

from annotators import _whisper
from annotators._torch import Device
from annotators.language.script import ScriptAnnotator
from pipeline.annotator import BatchedAnnotator, Model, Skip
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.models import ModelError, Published
from pipeline.options import Option
from pipeline.rows import Language
from pipeline.vad import HOP_SAMPLES, speech_frames

_LEAD = SAMPLE_RATE_HZ // 2  # samples kept before the first speech


@dataclass(frozen=True, slots=True)
class Heads:
    """The beginnings of a batch of clips; `done` holds the clips that need none."""

    mels: dict[int, torch.Tensor]  # clip -> [n_mels, 3000]
    done: dict[int, Language | Skip]


class WhisperAnnotator(BatchedAnnotator[Language, Heads]):
    """Given, in any usual spelling; else the likeliest of Whisper's languages, with its probability.

    A long clip is heard from where speech begins, for 30 s. Sound in which no frame is speech has no
    language. It shares the network with the transcript's Whisper where both run in one process.
    """

    row = Language
    version = 1
    hears = "speech"
    sees = frozenset({"language"})
    exact = False
    tolerance = "the same language, its probability within 1e-5; within 1e-2 in half precision"
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
    ) -> None:
        self._network = _whisper.load(model, device, half)

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
        """The checkpoint is whole, has every tensor in its shape, and knows more than English."""
        if _whisper.check(options).n_vocab == _whisper.ENGLISH_ONLY:
            raise ModelError(f"{options['model']} knows only English: it cannot tell languages.")

    @classmethod
    def from_given(cls, clip: Clip) -> Language | None:
        """The given language; None where none is given or nobody can read it."""
        return ScriptAnnotator.from_given(clip)

    def prepare(self, clips: Sequence[Clip]) -> Heads:
        """The log-mel spectrum of the first 30 s with speech."""
        batch = Heads({}, {})
        for i, clip in enumerate(clips):
            done = self.from_given(clip)
            head = None if done else _head(clip.speech)
            if done is not None:
                batch.done[i] = done
            elif head is None:
                batch.done[i] = Skip("No speech was found in the sound.")
            else:
                batch.mels[i] = _whisper.log_mels(head, self._network.dims.n_mels)
        return batch

    def infer(self, clips: Sequence[Clip], batch: Heads) -> list[Language | Skip]:
        """Encode, and ask for the token of the language."""
        outcomes = dict(batch.done)
        if batch.mels:
            with torch.inference_mode():
                features = _whisper.encoded(self._network, list(batch.mels.values()))
                found = _whisper.detected(self._network, features)
            for i, (code, probability) in zip(batch.mels, found, strict=True):
                outcomes[i] = Language(_whisper.iso_code(code), "whisper", probability)
        return [outcomes[i] for i in range(len(clips))]


def _head(speech: Samples) -> Samples | None:
    """Up to 30 s of a clip, from its beginning or, where it is longer, from its speech; None without any."""
    frames = speech_frames(speech)
    if not frames.any():
        return None
    start = int(np.argmax(frames)) * HOP_SAMPLES - _LEAD if len(speech) > N_SAMPLES else 0
    return speech[max(0, start) :][:N_SAMPLES]
