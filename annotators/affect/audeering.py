"""Arousal, dominance and valence by audeering's wav2vec2, trained on English podcasts (MSP-Podcast)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

from annotators._torch import Device, clips_at_once, device_of
from annotators._wav2vec2 import Prepared, Recogniser, Weights, check, files
from pipeline.annotator import BatchedAnnotator
from pipeline.clip import Clip
from pipeline.errors import ClipError
from pipeline.models import Published
from pipeline.options import Option
from pipeline.rows import Affect

SCALES = ("arousal", "dominance", "valence")
"""The order of the model's outputs."""
_HEADS = {"classifier": len(SCALES)}


class AudeeringAnnotator(BatchedAnnotator[Affect, Prepared]):
    """The scales as the model gives them: about 0..1, not clamped; 0.5 is neither.

    Only the middle `max_s` of a longer clip are heard: the network's memory grows with the square of
    the length, and the mood of a minute is not one mood.
    """

    row = Affect
    version = 1
    hears = "speech"
    exact = False
    tolerance = "1e-5; 0.03 with half"
    batch_clips = 32
    batch_s = 160.0  # on a CPU 0.2 GB for each 10 s, besides the weights

    def __init__(
        self,
        *,
        model: Annotated[
            str, Option("hub id or folder")
        ] = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
        weights: Annotated[Weights, Option("which of the model's files to load")] = "model.safetensors",
        max_s: Annotated[float, Option("of a longer clip, its middle is heard", "s", 1.0, 60.0)] = 20.0,
        device: Annotated[Device, Option("where the network runs; auto: a GPU if there is one")] = "auto",
        half: Annotated[bool, Option("bfloat16 on a GPU")] = False,
    ) -> None:
        self._recogniser = Recogniser(_published(model, weights), _HEADS, max_s, device, half)
        self.batch_clips = clips_at_once(device_of(device), self.batch_clips)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The model in the option."""
        return (_published(str(options["model"]), cast("Weights", options["weights"])),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Compare the file's tensors with the network's, key by key and shape by shape."""
        check(cls.published(options)[0], _HEADS)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """Normalised and padded sounds."""
        return self._recogniser.prepare(clips)

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Affect | ClipError]:
        """One row per clip, in order; a ClipError under 25 ms and for digital silence."""
        return [_affect(numbers) for numbers in self._recogniser.numbers(batch)]


def _published(model: str, weights: Weights) -> Published:
    return Published(
        name=model,
        files=files(weights),
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        size_bytes=661_000_000,
        about="arousal, dominance and valence; wav2vec2-large of 12 layers",
    )


def _affect(numbers: dict[str, list[float]] | ClipError) -> Affect | ClipError:
    if isinstance(numbers, ClipError):
        return numbers
    return Affect(**dict(zip(SCALES, numbers["classifier"], strict=True)))
