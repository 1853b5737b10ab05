"""The mood networks, which read the functionals of a clip, and whom they learn from.

Speech read aloud, of other corpora, is a class of its own while they learn, and is neutral when they answer:
so that acted moods stand apart from reading, and not only from one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from annotators.emotion.small import CLASSES
from jobs.train._features import Example
from jobs.train._fit import Choose, Loss, Rng, fit_reader
from jobs.train._network import Reader

LABELS = tuple(CLASSES.values())
READ = len(LABELS)
N_OUTPUTS = READ + 1

_SMOOTHED = 0.05

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Examples with their functionals [n_examples, n_functionals] and places among LABELS, or READ."""

    examples: Sequence[Example]
    functionals: Floats
    classes: npt.NDArray[np.intp]

    def only(self, chosen: npt.NDArray[np.bool_]) -> Lesson:
        """Some of them."""
        picked = [e for e, keep in zip(self.examples, chosen, strict=True) if keep]
        return Lesson(picked, self.functionals[chosen], self.classes[chosen])


def teach_reader(lesson: Lesson, seed: int, steps: int) -> Reader:
    """A Reader that learns every class as often as any other."""
    return fit_reader(lesson.functionals, N_OUTPUTS, _by_class(lesson), _loss(lesson), seed, steps)


def _loss(lesson: Lesson) -> Loss:
    target = _smooth(lesson.classes)

    def loss(outputs: torch.Tensor, chosen: list[int]) -> torch.Tensor:
        wanted = target[chosen].to(outputs.device)
        found: torch.Tensor = -(wanted * torch.log_softmax(outputs, dim=1)).sum(1)
        return found

    return loss


def _smooth(classes: npt.NDArray[np.intp]) -> torch.Tensor:
    hot = functional.one_hot(torch.from_numpy(classes.astype(np.int64)), N_OUTPUTS).float()
    smooth: torch.Tensor = hot * (1 - _SMOOTHED) + _SMOOTHED / N_OUTPUTS
    return smooth


def _by_class(lesson: Lesson) -> Choose:
    """A class first; then a speaker, rare ones a little favoured; then a clip."""
    cells: dict[tuple[int, str], list[int]] = {}
    for i, (example, place) in enumerate(zip(lesson.examples, lesson.classes.tolist(), strict=True)):
        cells.setdefault((place, example.utterance.speaker), []).append(i)
    keys = sorted(cells)
    sizes = np.array([len(cells[key]) ** 0.5 for key in keys])
    totals = {
        place: sum(s for s, key in zip(sizes, keys, strict=True) if key[0] == place) for place, _ in keys
    }
    chances = np.array([size / totals[key[0]] for size, key in zip(sizes, keys, strict=True)])
    chances /= chances.sum()
    members = [cells[key] for key in keys]

    def choose(rng: Rng, n: int) -> list[int]:
        picked = rng.choice(len(members), n, p=chances)
        return [members[k][int(rng.integers(len(members[k])))] for k in picked]

    return choose
