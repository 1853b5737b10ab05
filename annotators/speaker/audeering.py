"""Age and gender by audeering's wav2vec2; what the source gives stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, cast

import numpy as np

from annotators._torch import Device, clips_at_once, device_of
from annotators._wav2vec2 import Prepared, Recogniser, Weights, check, files
from pipeline.annotator import BatchedAnnotator
from pipeline.clip import Clip, Given
from pipeline.errors import ClipError
from pipeline.models import Published
from pipeline.options import Option
from pipeline.rows import Gender, Speaker

GENDERS = ("female", "male", "child")
"""The order of the model's outputs; its card lists them otherwise in prose."""
_HEADS = {"age": 1, "gender": len(GENDERS)}
_YEARS = 100.0  # the model's 0..1
_SOURCE = "audeering"
_UNKNOWN = Speaker(None, None, None, None, None, None)


class AudeeringAnnotator(BatchedAnnotator[Speaker, Prepared]):
    """Each of gender and age is the given one where the source gives it, else the recognised one.

    The model tells female, male and child apart. Where a child is likeliest the gender is null: a
    child's voice does not tell it, and `child_probability` says why. The confidence is the
    probability of the gender among the three. The age has none: it is a regression, held to 0..100
    years. Only the middle `max_s` of a longer clip are heard, since the network's memory grows with
    the square of the length.
    """

    row = Speaker
    version = 1
    hears = "speech"
    sees = frozenset({"gender", "age_years"})
    exact = False
    tolerance = "1e-5 of a probability and 0.001 years; 0.03 and 3 years with half"
    batch_clips = 32
    batch_s = 160.0  # on a CPU 0.2 GB for each 10 s, besides the weights

    def __init__(
        self,
        *,
        model: Annotated[
            str, Option("hub id or folder; there is one of 6 layers, too")
        ] = "audeering/wav2vec2-large-robust-24-ft-age-gender",
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

    @classmethod
    def from_given(cls, clip: Clip) -> Speaker | None:
        """The whole row where the source gives both."""
        given = clip.given
        if given.gender is None or given.age_years is None:
            return None
        return _with_given(_UNKNOWN, given)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """Normalised and padded sounds."""
        return self._recogniser.prepare(clips)

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Speaker | ClipError]:
        """One row per clip, in order; a ClipError only where nothing is given and nothing can be heard."""
        numbers = self._recogniser.numbers(batch)
        return [_outcome(clip.given, found) for clip, found in zip(clips, numbers, strict=True)]


def _published(model: str, weights: Weights) -> Published:
    return Published(
        name=model,
        files=files(weights),
        licence="CC-BY-NC-SA-4.0",
        commercial=False,
        size_bytes=1_270_000_000,
        about="age and gender; wav2vec2-large of 24 layers",
    )


def _outcome(given: Given, found: dict[str, list[float]] | ClipError) -> Speaker | ClipError:
    if isinstance(found, ClipError):
        nothing_given = given.gender is None and given.age_years is None
        return found if nothing_given else _with_given(_UNKNOWN, given)
    return _with_given(_recognised(found["age"][0], found["gender"]), given)


def _recognised(age: float, scores: Sequence[float]) -> Speaker:
    """The row for the model's outputs: an age of about 0..1, and a score of each of GENDERS."""
    powers = np.exp(np.asarray(scores) - max(scores))
    chances = dict(zip(GENDERS, (powers / powers.sum()).tolist(), strict=True))
    likeliest = max(GENDERS, key=lambda gender: chances[gender])
    known = likeliest != "child"
    return Speaker(
        gender=cast("Gender", likeliest) if known else None,
        gender_source=_SOURCE if known else None,
        gender_confidence=chances[likeliest] if known else None,
        age_years=min(max(_YEARS * age, 0.0), _YEARS),
        age_source=_SOURCE,
        age_confidence=None,
        child_probability=chances["child"],
    )


def _with_given(row: Speaker, given: Given) -> Speaker:
    if given.gender is not None:
        gender = cast("Gender", given.gender)
        row = replace(row, gender=gender, gender_source="given", gender_confidence=None)
    if given.age_years is not None:
        row = replace(row, age_years=given.age_years, age_source="given", age_confidence=None)
    return row
