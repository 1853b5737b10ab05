"""What the model of gender learns, from whom, and what it then says of clips."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from annotators.speaker.small import CHILD_UNDER
from jobs.train._corpora import Utterance
from jobs.train._kernel import Kernel, by_speaker
from jobs.train._lesson import Lesson

OUTPUTS = ("female", "child")
ADULT_FROM = 18.0
LOWEST_WOMAN_HZ, HIGHEST_MAN_HZ, GROWN_FROM = 140.0, 230.0, 15.0
"""Women speak at 188 to 221 Hz in the mean, men at 100 to 146, over languages and corpora; a speaker lies
2 to 3 semitones from that (Traunmüller and Eriksson 1995). These are two to three times as far."""

_SHARPNESS = 4.0  # of a score of -1 to 1, to be about a logit
_LEAST = 1e-6

Floats = npt.NDArray[np.float64]


class GenderGraph(nn.Module):
    """The functionals of one clip to OUTPUTS, probabilities: of a woman, were it an adult, and of a child."""

    def __init__(self, kernel: Kernel, temperatures: tuple[float, float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.kernel, self.temperatures = kernel, temperatures

    def forward(self, functionals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Each [1]."""
        scores = _SHARPNESS * self.kernel(functionals)
        female, child = (
            torch.sigmoid(scores[i : i + 1] / t).clamp(_LEAST, 1 - _LEAST)
            for i, t in enumerate(self.temperatures)
        )
        return female, child


def teach(lesson: Lesson, temperatures: tuple[float, float] = (1.0, 1.0)) -> GenderGraph:
    """Gender from everyone who is no child, child or not from everyone but teenagers."""
    who = [e.utterance for e in lesson.examples]
    each = by_speaker([u.speaker for u in who])
    kernel = Kernel(lesson.functionals)
    tells = np.array([bool(u.gender) and grown(u) and u.speaker not in lesson.doubtful for u in who])
    kernel.learn(np.array([1.0 if u.gender == "female" else -1.0 for u in who]), each * tells)
    old = np.array([not grown(u) or u.age_years is None or u.age_years >= ADULT_FROM for u in who])
    kernel.learn(np.array([-1.0 if grown(u) else 1.0 for u in who]), each * old)
    graph = GenderGraph(kernel, temperatures)
    graph.eval()
    return graph


def hear(graph: GenderGraph, lesson: Lesson) -> Floats:
    """OUTPUTS of each example, [n_examples, 2]."""
    with torch.inference_mode():
        said = [graph(torch.from_numpy(vector)) for vector in lesson.functionals]
    return np.array([[one.item() for one in pair] for pair in said]).reshape(-1, len(OUTPUTS))


def grown(utterance: Utterance) -> bool:
    """Whether the speaker is no child, as far as is known."""
    return utterance.age_years is None or utterance.age_years >= CHILD_UNDER


def contradicted(lesson: Lesson) -> frozenset[str]:
    """Speakers from GROWN_FROM on, or of unknown age, whose median F0 makes the label of gender doubtful."""
    spoken: dict[tuple[str, str], list[npt.NDArray[np.float32]]] = {}
    for example in lesson.as_recorded().examples:
        who = example.utterance
        if who.gender and (who.age_years is None or who.age_years >= GROWN_FROM):
            spoken.setdefault((who.gender, who.speaker), []).append(example.f0_hz[example.f0_hz > 0])
    return frozenset(
        speaker for (gender, speaker), f0 in spoken.items() if _doubtful(gender, np.concatenate(f0))
    )


def _doubtful(gender: str, voiced_hz: npt.NDArray[np.float32]) -> bool:
    if not len(voiced_hz):
        return False
    middle = float(np.median(voiced_hz))
    return middle < LOWEST_WOMAN_HZ if gender == "female" else middle > HIGHEST_MAN_HZ
