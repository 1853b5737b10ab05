"""The speaker networks as one graph: averaged, calibrated, and with a measure of what they never heard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from annotators._mel import Mel
from annotators.speaker.small import CHILD_UNDER
from jobs.train._features import F0, Example
from jobs.train._lesson import Lesson
from jobs.train._network import N_SUMMARY, Listener, Reader

OUTPUTS = ("female", "ages", "strangeness")
MOST_FRAMES = 2000  # of a longer clip, its middle is heard

_MOST_FAMILIAR = 1500  # clips are enough for the covariance of N_SUMMARY numbers
_SHRINKAGE = 0.1  # of a covariance towards a sphere

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the graph says of one clip. `female`: were it an adult's voice."""

    female: float
    ages: Floats  # [len(YEARS)], probabilities
    strangeness: float


@dataclass(frozen=True, slots=True)
class Temperatures:
    """By which logits are divided before they become probabilities."""

    gender: float = 1.0
    ages: float = 1.0


class Familiar(nn.Module):
    """How far a summary lies from those of speakers of known age, children and adults apart; about 1."""

    def __init__(self, summaries: Sequence[Floats]) -> None:
        super().__init__()
        self.middles = nn.Buffer(torch.tensor(np.stack([s.mean(0) for s in summaries]), dtype=torch.float32))
        self.weights = nn.Buffer(torch.tensor(np.stack([_whitening(s) for s in summaries])))

    def forward(self, summary: torch.Tensor) -> torch.Tensor:
        """The squared Mahalanobis distance to the nearest group over the dimensions, of [N_SUMMARY]."""
        away = (summary[None] - self.middles)[:, None] @ self.weights  # [n_groups, 1, N_SUMMARY]
        nearest: torch.Tensor = (away * away).mean(dim=(1, 2)).amin()
        return nearest


class SpeakerGraph(nn.Module):
    """mel [n_frames, N_BANDS], f0_hz [n_frames] and functionals of one clip to OUTPUTS.

    Probabilities are means of what readers and of what listeners say, both alike in weight, then sharpened
    or softened.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        listeners: Sequence[Listener],
        familiar: Sequence[Familiar],
        temperatures: Temperatures,
    ) -> None:
        super().__init__()
        self.readers, self.listeners = nn.ModuleList(readers), nn.ModuleList(listeners)
        self.familiar, self.temperatures = nn.ModuleList(familiar), temperatures

    def forward(
        self, mel: torch.Tensor, f0_hz: torch.Tensor, functionals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Probabilities [1] and [len(YEARS)], and the strangeness [1]."""
        summaries = [one.summed_up(mel[None], f0_hz[None]) for one in self.listeners]
        listened = [one.head(s)[0] for one, s in zip(self.listeners, summaries, strict=True)]
        read = [one(functionals[None])[0] for one in self.readers]
        chances = (_chances(torch.stack(read)) + _chances(torch.stack(listened))) / 2
        strange = torch.stack([f(s[0]) for f, s in zip(self.familiar, summaries, strict=True)]).mean(0)
        female, ages = chances[:1].clamp(1e-6, 1 - 1e-6), chances[1:].clamp(min=1e-9)
        return (
            torch.sigmoid(torch.logit(female) / self.temperatures.gender),
            torch.softmax(torch.log(ages) / self.temperatures.ages, dim=0),
            strange[None],
        )


def familiar(listener: Listener, lesson: Lesson) -> Familiar:
    """Fitted to the summaries of speakers of known age."""
    known = [e for e in lesson.examples if e.utterance.age_years is not None]
    known = known[:: -(-len(known) // _MOST_FAMILIAR)]
    with torch.inference_mode():
        summaries = np.stack(
            [
                listener.summed_up(*(torch.from_numpy(v)[None] for v in middle(e)))[0].double().numpy()
                for e in known
            ]
        )
    child = np.array([(e.utterance.age_years or 0.0) < CHILD_UNDER for e in known])
    return Familiar([summaries[group] for group in (child, ~child) if group.sum() > 1])


def inputs_of(lesson: Lesson) -> list[dict[str, npt.NDArray[np.float32]]]:
    """The inputs of the graph for each example."""
    found = []
    for example, vector in zip(lesson.examples, lesson.functionals, strict=True):
        mel, f0_hz = middle(example)
        found.append({"mel": mel, "f0_hz": f0_hz, "functionals": vector})
    return found


def hear(graph: SpeakerGraph, lesson: Lesson) -> list[Heard]:
    """What the graph says of each example."""
    found = []
    with torch.inference_mode():
        for inputs in inputs_of(lesson):
            female, ages, strange = graph(*(torch.from_numpy(values) for values in inputs.values()))
            found.append(Heard(female.item(), ages.double().numpy(), strange.item()))
    return found


def middle(example: Example) -> tuple[Mel, F0]:
    """The frames of an example that are heard."""
    start = max(0, len(example.mel) - MOST_FRAMES) // 2
    part = slice(start, start + MOST_FRAMES)
    return example.mel[part], example.f0_hz[part]


def _chances(outputs: torch.Tensor) -> torch.Tensor:
    """Of outputs [n_networks, N_OUTPUTS], the mean probabilities: of female, then of YEARS."""
    both = torch.cat([torch.sigmoid(outputs[:, :1]), torch.softmax(outputs[:, 1:], dim=1)], dim=1)
    mean: torch.Tensor = both.mean(0)
    return mean


def _whitening(summaries: Floats) -> npt.NDArray[np.float32]:
    covariance = np.cov(summaries.T)
    sphere = np.eye(N_SUMMARY) * max(float(np.trace(covariance)) / N_SUMMARY, 1e-6)
    mixed = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * sphere
    values, vectors = np.linalg.eigh(mixed)
    found: npt.NDArray[np.float32] = (vectors / np.sqrt(values)).astype(np.float32)
    return found


def fitted_temperature(log_chances: Sequence[Floats], right: Sequence[npt.NDArray[np.bool_]]) -> float:
    """The temperature under which the classes that are right are likeliest, of 0.4 to 4.

    `right` marks, for each clip, the entries of its `log_chances` that together are right.
    """
    grid = np.geomspace(0.4, 4.0, 47)
    costs = [sum(_cost(c / t, r) for c, r in zip(log_chances, right, strict=True)) for t in grid]
    return float(grid[int(np.argmin(costs))])


def _cost(logits: Floats, right: npt.NDArray[np.bool_]) -> float:
    chances = np.exp(logits - logits.max())
    return -math.log(max(float(chances[right].sum() / chances.sum()), 1e-12))
