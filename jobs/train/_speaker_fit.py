"""What the speaker network learns, from whom, and what it then says of clips.

Gender is learnt from those whose voice tells it, not from children; adults of unknown age are adults. Ages
are distributions over years, so that one network says child or adult, the years, and how sure it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from annotators.speaker.small import CHILD_UNDER, YEARS
from jobs.train._corpora import Utterance
from jobs.train._features import Example
from jobs.train._fit import Choose, Fit, Loss, Rng, by_group, fit_listener, fit_reader
from jobs.train._lesson import Lesson
from jobs.train._network import Listener, Reader

N_OUTPUTS = 1 + len(YEARS)
ADULT_FROM = 17.0  # of an adult of unknown age

_GROWTH_PER_YEAR = 0.028  # of the vocal tract between 6 and 13: 11.5 to 14 cm
_GROWN_YEARS = 15.0
_NOISY = 0.02  # of labels of gender are wrong
_AGE_WEIGHT, _GENDER_WEIGHT = 0.5, 1.5

Floats = npt.NDArray[np.float64]


def years_of(example: Example) -> float | None:
    """The speaker's age; of a child with another throat, the age of that throat."""
    years = example.utterance.age_years
    if years is None or years >= _GROWN_YEARS:
        return years
    moved = years - math.log(example.throat.formants) / _GROWTH_PER_YEAR
    return float(np.clip(moved, YEARS[0], _GROWN_YEARS + 1))


def teach_reader(lesson: Lesson, seed: int, steps: int) -> Reader:
    """A Reader of N_OUTPUTS: the logit of female, then a logit for each of YEARS."""
    choose, loss = _by_speaker(lesson.examples), _loss(lesson)
    return fit_reader(lesson.functionals, N_OUTPUTS, choose, loss, seed, steps)


def teach_listener(lesson: Lesson, fit: Fit, seed: int) -> Listener:
    """A Listener of the same outputs."""
    choose, loss = _by_speaker(lesson.examples), _loss(lesson)
    return fit_listener(lesson.examples, N_OUTPUTS, choose, loss, fit, seed)


def _gender_weight(utterance: Utterance, doubtful: frozenset[str]) -> float:
    """How much a clip tells of gender."""
    years = utterance.age_years
    if utterance.gender is None or utterance.speaker in doubtful:
        return 0.0
    return 1.0 if years is None or years >= 14 else 0.3 if years >= 11 else 0.0


def _by_speaker(examples: Sequence[Example]) -> Choose:
    """Speakers first, women, men, girls and boys about alike often; then any clip of theirs."""
    spoken: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        spoken.setdefault(example.utterance.speaker, []).append(i)
    members = list(spoken.values())
    chances = by_group([_group(examples[clips[0]].utterance) for clips in members])

    def choose(rng: Rng, n: int) -> list[int]:
        picked = rng.choice(len(members), n, p=chances)
        return [members[k][int(rng.integers(len(members[k])))] for k in picked]

    return choose


def _group(utterance: Utterance) -> str:
    years = utterance.age_years
    return f"{utterance.gender} {'child' if years is not None and years < CHILD_UNDER else 'adult'}"


def _loss(lesson: Lesson) -> Loss:
    examples = lesson.examples
    female = np.array([e.utterance.gender == "female" for e in examples], np.float32)
    target = torch.from_numpy(female * (1 - 2 * _NOISY) + np.float32(_NOISY))
    weight = torch.tensor([_gender_weight(e.utterance, lesson.doubtful) for e in examples])
    years = [years_of(e) for e in examples]
    known = torch.tensor([y is not None for y in years], dtype=torch.float32)
    spread = torch.from_numpy(np.stack([_spread(y) for y in years]))
    adult = torch.from_numpy((YEARS >= ADULT_FROM).astype(np.float32))

    def loss(outputs: torch.Tensor, chosen: list[int]) -> torch.Tensor:
        place, k = outputs.device, known[chosen].to(outputs.device)
        of_gender = functional.binary_cross_entropy_with_logits(
            outputs[:, 0], target[chosen].to(place), reduction="none"
        )
        logs = torch.log_softmax(outputs[:, 1:], dim=1)
        of_age = -(spread[chosen].to(place) * logs).sum(1) * k
        grown = -torch.log((logs.exp() * adult.to(place)).sum(1) * 0.98 + 0.01) * (1 - k)
        found: torch.Tensor = (
            _GENDER_WEIGHT * of_gender * weight[chosen].to(place) + _AGE_WEIGHT * of_age + grown
        )
        return found

    return loss


def _spread(years: float | None) -> npt.NDArray[np.float32]:
    """The chances of YEARS around an age: to within a year of a child's, 8 % of a grown-up's."""
    if years is None:
        return np.zeros(len(YEARS), np.float32)
    chances = np.exp(-0.5 * ((YEARS - years) / max(1.0, 0.08 * years)) ** 2)
    found: npt.NDArray[np.float32] = (chances / chances.sum()).astype(np.float32)
    return found
