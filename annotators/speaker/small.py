"""Gender and age by the project's own small models; what the source gives stands.

Trained by `speechcraft train gender` and `train speaker`; small.md beside the weights says on whom, and
how far to trust them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import numpy.typing as npt

from annotators._functionals import functionals
from annotators._mel import heard
from annotators._small import Network, facts, model
from pipeline.annotator import Annotator, Model
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Given, Samples
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import AGE_GROUPS_FROM_YEARS, Gender, Pitch, Speaker

WEIGHTS = Path(__file__).with_name("small.onnx")
"""Of the networks of age."""
GENDER_WEIGHTS = Path(__file__).with_name("gender.onnx")
YEARS = np.arange(4, 48)
"""The ages that the network tells apart."""
CHILD_UNDER = AGE_GROUPS_FROM_YEARS[0]
EDGE_YEARS = 38.0
"""From here on nobody taught it: of the speakers it learnt from one in a hundred was older."""

UNSURE = "small: unsure"
CHILD = "small: a child's voice"
PAST = "small: past the ages it learnt"
UNLIKE = "small: unlike the speech whose ages it learnt"
NO_CHILD = "small: a child's age, and no surer"
FOREIGN = "small: a child's age, and unlike the speech whose children it learnt"

ALIKE = 0.8
"""How like the corpora that have children a clip must sound (1: as theirs, -1: as others) to be a child's."""

_SOURCE = "small"
_FEWEST_S = 0.2
_FEWEST_VOICED = 10  # frames of F0, 50 ms
_UNKNOWN = Speaker(None, None, None, None, None, None)

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Sure:
    """How sure a value must be to be given.

    `child`: over this probability of a child there is no gender. `strangeness`: infinite gives the age of any
    voice. `young` and `alike`: the least probability of a child, and the least likeness to the corpora that
    have children, for the age of one.
    """

    gender: float = 0.6
    child: float = 0.7
    age: float = 0.5
    strangeness: float = np.inf
    young: float = 0.8
    alike: float = ALIKE


@dataclass(frozen=True, slots=True)
class Opinion:
    """What both models say of a clip: the first three are of `gender.onnx`, the others of `small.onnx`."""

    female: float
    """Were it an adult."""
    child: float
    alike: float
    ages: Floats  # [len(YEARS)]
    strangeness: float

    @property
    def of_a_child(self) -> float:
        """The probability that a child speaks, as both have it in the mean."""
        return (self.child + float(self.ages[YEARS < CHILD_UNDER].sum())) / 2


class SmallAnnotator(Annotator[Speaker]):
    """Each of gender and age is the given one where the source gives it, else the recognised one, else null.

    A child's voice does not tell its gender: over `max_child_probability` the gender is null, and
    `gender_source` says so. That probability is the mean of what both models say. The gender's confidence
    is the probability were it an adult. Confidences under the options are too little: the value is null,
    the confidence stays. The confidence of an age is the probability of its age group. The age is null, and
    `age_source` says why, where the voice is past the ages that the networks learnt, or unlike the speech
    whose speakers' ages they knew. All children that taught spoke in one corpus, so an age under 13 takes
    more: `min_child_probability`, and a recording like that corpus. Only the middle `max_s` of a longer clip
    are heard.
    """

    row = Speaker
    version = 3
    wants = (Pitch,)
    hears = "speech"
    sees = frozenset({"gender", "age_years"})

    def __init__(
        self,
        *,
        min_gender_confidence: Annotated[float, Option("under it the gender is null", "", 0.5, 1.0)] = 0.6,
        max_child_probability: Annotated[
            float, Option("over it a child speaks, and the gender is null", "", 0.0, 1.0)
        ] = 0.7,
        min_age_confidence: Annotated[float, Option("under it the age is null", "", 0.0, 1.0)] = 0.5,
        min_child_probability: Annotated[
            float, Option("under it no age of a child is given", "", 0.0, 1.0)
        ] = 0.8,
        familiar_only: Annotated[
            bool, Option("no age for a voice or recording unlike those whose ages were learnt")
        ] = True,
        max_s: Annotated[float, Option("of a longer clip, its middle is heard", "s", 1.0, 60.0)] = 20.0,
    ) -> None:
        limit = float(facts(WEIGHTS)["strangeness_limit"]) if familiar_only else np.inf
        alike = ALIKE if familiar_only else -np.inf
        self._sure = Sure(
            min_gender_confidence,
            max_child_probability,
            min_age_confidence,
            limit,
            min_child_probability,
            alike,
        )
        self._max_s = max_s
        self._gender, self._age = Network(GENDER_WEIGHTS), Network(WEIGHTS)

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The shipped weights."""
        return model(GENDER_WEIGHTS), model(WEIGHTS)

    @classmethod
    def from_given(cls, clip: Clip) -> Speaker | None:
        """The whole row where the source gives both."""
        given = clip.given
        if given.gender is None or given.age_years is None:
            return None
        return _with_given(_UNKNOWN, given)

    def annotate(self, clips: Sequence[Clip]) -> list[Speaker | ClipError]:
        """One row per clip, in order; a ClipError only where nothing is given and nothing can be heard."""
        return [self.from_given(clip) or self._speaker(clip) for clip in clips]

    def _speaker(self, clip: Clip) -> Speaker | ClipError:
        fault = _fault(clip.speech)
        if fault is not None:
            nothing_given = clip.given.gender is None and clip.given.age_years is None
            return fault if nothing_given else _with_given(_UNKNOWN, clip.given)
        pitch = clip.maybe(Pitch)
        if pitch is not None and np.count_nonzero(pitch.f0_hz) < _FEWEST_VOICED:
            return _with_given(_UNKNOWN, clip.given)
        inputs = heard(clip.speech, pitch, self._max_s)
        return _with_given(answered(self._opinion(inputs), self._sure), clip.given)

    def _opinion(self, inputs: dict[str, npt.NDArray[np.float32]]) -> Opinion:
        vector = functionals(**inputs)
        return opinion(self._gender(functionals=vector), self._age(**inputs, functionals=vector))


def opinion(of_gender: Mapping[str, Floats], of_age: Mapping[str, Floats]) -> Opinion:
    """The outputs of both models, by name."""
    return Opinion(
        female=float(of_gender["female"][0]),
        child=float(of_gender["child"][0]),
        alike=float(of_gender["alike"][0]),
        ages=of_age["ages"],
        strangeness=float(of_age["strangeness"][0]),
    )


def answered(said: Opinion, sure: Sure) -> Speaker:
    """The row for what the models say: each value where it is sure enough, else null with the reason."""
    row = aged(said.ages, said.strangeness, sure)
    if row.age_years is not None and row.age_years < CHILD_UNDER:
        why_not = _why_no_child(said, sure)
        row = replace(row, age_years=None, age_source=why_not) if why_not else row
    gender, source = gender_of(said.female, said.of_a_child, sure)
    return replace(
        row,
        gender=gender,
        gender_source=source,
        gender_confidence=max(said.female, 1 - said.female),
        child_probability=said.of_a_child,
    )


def _why_no_child(said: Opinion, sure: Sure) -> str | None:
    if said.of_a_child < sure.young:
        return NO_CHILD
    return FOREIGN if said.alike < sure.alike else None


def gender_of(female: float, child: float, sure: Sure) -> tuple[Gender | None, str]:
    """The gender, and its source or why it is null. `female`: were it an adult."""
    if child > sure.child:
        return None, CHILD
    if max(female, 1 - female) < sure.gender:
        return None, UNSURE
    return ("female" if female >= 0.5 else "male"), _SOURCE


def aged(ages: Floats, strangeness: float, sure: Sure) -> Speaker:
    """The row, without a gender, for the networks' chances of each of YEARS."""
    years = float(YEARS[min(int(np.searchsorted(np.cumsum(ages), 0.5)), len(YEARS) - 1)])
    confidence = _of_group(years, ages)
    why_not = _why_no_age(years, confidence, strangeness, sure)
    return replace(
        _UNKNOWN,
        age_years=years if why_not is None else None,
        age_source=why_not or _SOURCE,
        age_confidence=confidence,
        child_probability=float(ages[YEARS < CHILD_UNDER].sum()),
    )


def _of_group(years: float, ages: Floats) -> float:
    """The probability of all ages in the age group of `years`."""
    groups = np.searchsorted(AGE_GROUPS_FROM_YEARS, YEARS, "right")
    group = np.searchsorted(AGE_GROUPS_FROM_YEARS, years, "right")
    return min(float(ages[groups == group].sum()), 1.0)


def _why_no_age(years: float, confidence: float, strangeness: float, sure: Sure) -> str | None:
    if years >= EDGE_YEARS:
        return PAST
    if strangeness > sure.strangeness:
        return UNLIKE
    return UNSURE if confidence < sure.age else None


def _fault(sound: Samples) -> ClipError | None:
    seconds = len(sound) / SAMPLE_RATE_HZ
    if seconds < _FEWEST_S:
        return ClipError("too_short", f"No speaker can be told from {seconds:.3f} s of sound.")
    if not sound.any():
        return ClipError("silent", "The sound is digital silence.")
    return None


def _with_given(row: Speaker, given: Given) -> Speaker:
    if given.gender is not None:
        gender = cast("Gender", given.gender)
        row = replace(row, gender=gender, gender_source="given", gender_confidence=None)
    if given.age_years is not None:
        row = replace(row, age_years=given.age_years, age_source="given", age_confidence=None)
    return row
