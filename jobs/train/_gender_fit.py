"""What the model of gender learns, from whom, and what it then says of clips.

Children speak in few corpora. A model that knows none of their kind elsewhere takes a woman who is recorded
otherwise for a child, so it learns, too, how the corpora that have children sound: `alike`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from annotators.speaker.small import CHILD_UNDER
from jobs.train._corpora import Utterance
from jobs.train._kernel import Kernel, by_speaker
from jobs.train._lesson import Lesson

OUTPUTS = ("female", "child", "alike")
ADULT_FROM = 18.0
LOWEST_WOMAN_HZ, HIGHEST_MAN_HZ, GROWN_FROM = 140.0, 230.0, 15.0
"""Women speak at 188 to 221 Hz in the mean, men at 100 to 146, over languages and corpora; a speaker lies
2 to 3 semitones from that (Traunmüller and Eriksson 1995). These are two to three times as far."""

_SHARPNESS = 4.0  # of a score of -1 to 1, to be about a logit
_LEAST = 1e-6

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class GenderGraph(nn.Module):
    """The functionals of one clip to OUTPUTS.

    Probabilities of a woman, were it an adult, and of a child; and how like the corpora that have children
    its sound is: 1 as theirs, -1 as the others, 0 like nothing that was learnt.
    """

    def __init__(self, kernel: Kernel, temperatures: tuple[float, float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.kernel, self.temperatures = kernel, temperatures

    def forward(self, functionals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Each [1]."""
        values = self.kernel(functionals)
        scores = _SHARPNESS * values
        female, child = (
            torch.sigmoid(scores[i : i + 1] / t).clamp(_LEAST, 1 - _LEAST)
            for i, t in enumerate(self.temperatures)
        )
        return female, child, values[2:3]


def teach(lesson: Lesson, temperatures: tuple[float, float] = (1.0, 1.0)) -> GenderGraph:
    """Gender from everyone who is no child, child or not from everyone but teenagers.

    What is alike from adults as they were recorded, so that it is the recording and not the age.
    """
    who = [e.utterance for e in lesson.examples]
    each = by_speaker([u.speaker for u in who])
    kernel = Kernel(lesson.functionals)
    tells = np.array([bool(u.gender) and grown(u) and u.speaker not in lesson.doubtful for u in who])
    kernel.learn(np.array([1.0 if u.gender == "female" else -1.0 for u in who]), each * tells)
    old = np.array([not grown(u) or u.age_years is None or u.age_years >= ADULT_FROM for u in who])
    kernel.learn(np.array([-1.0 if grown(u) else 1.0 for u in who]), each * old)
    home = _with_children(lesson)
    tells = np.array([e.variant == 0 and grown(e.utterance) for e in lesson.examples])
    kernel.learn(np.where(home, 1.0, -1.0), _balanced(each * tells, home))
    graph = GenderGraph(kernel, temperatures)
    graph.eval()
    return graph


def _with_children(lesson: Lesson) -> Flags:
    """The examples of corpora in which children speak."""
    who = [e.utterance for e in lesson.examples]
    corpora = {u.corpus for u in who if not grown(u)}
    return np.array([u.corpus in corpora for u in who])


def _balanced(weights: Floats, flags: Flags) -> Floats:
    """The weights with those flagged and the others of one sum, where both have any."""
    sums = np.array([weights[~flags].sum(), weights[flags].sum()])
    return np.asarray(weights / np.where(sums > 0, sums, 1.0)[flags.astype(int)])


def hear(graph: GenderGraph, lesson: Lesson) -> Floats:
    """OUTPUTS of each example, [n_examples, 3]."""
    with torch.inference_mode():
        said = [graph(torch.from_numpy(vector)) for vector in lesson.functionals]
    return np.array([[one.item() for one in three] for three in said]).reshape(-1, len(OUTPUTS))


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
