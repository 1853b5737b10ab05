"""`speechcraft train emotion`: the mood, measured on speakers left out in turn, then shipped.

The six actors are too few to keep one for the end. So each is left out, and what is chosen (temperature and
threshold) is chosen on the other five alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from annotators._functionals import functionals
from annotators._small import write_card
from annotators.emotion.small import WEIGHTS
from jobs.train._corpora import TRAINED_ON, Utterance, per_speaker, read
from jobs.train._emotion_fit import LABELS, READ, Lesson, teach_reader
from jobs.train._emotion_tables import acted, aloud, calls
from jobs.train._features import Variants, examples
from jobs.train._network import Reader
from jobs.train._parts import fold_of
from jobs.train._shipped import difference, export
from jobs.train._speaker_graph import fitted_temperature
from jobs.train._tables import Line, confusion, table

ACTED = ("emodb",)
ALOUD = tuple(c for c in TRAINED_ON if c not in ACTED)
VARIANTS, VARIANTS_ALOUD = Variants(elsewhere=2, revoiced=3), Variants(elsewhere=2, revoiced=0)
COVERAGE = 0.66
"""The share of acted clips that the threshold leaves a label, chosen with room above the 60 % asked for."""
LICENCE = "Apache-2.0"
_MOST_ALOUD = 2  # clips of each speaker
_MOST_FRAMES = 1200

Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """`readers` networks, in each fold and shipped, each of `steps` batches."""

    data: Path
    out: Path
    work: Path
    seed: int = 0
    steps: int = 300
    readers: int = 8


class MoodGraph(nn.Module):
    """The functionals of one clip to the chances of LABELS: the readers' mean, reading counted as neutral."""

    def __init__(self, readers: Sequence[Reader], temperature: float) -> None:
        super().__init__()
        self.readers, self.temperature = nn.ModuleList(readers), temperature
        neutral = [float(label == "neutral") for label in LABELS]
        self.neutral = nn.Buffer(torch.tensor(neutral))

    def forward(self, functionals: torch.Tensor) -> tuple[torch.Tensor]:
        """Chances, [len(LABELS)], summing to 1."""
        said = torch.stack([torch.softmax(one(functionals[None])[0], 0) for one in self.readers]).mean(0)
        chances = (said[:READ] + said[READ] * self.neutral).clamp(min=1e-6)
        return (torch.softmax(torch.log(chances) / self.temperature, 0),)


def run(request: Request, say: Say = print) -> list[Line]:
    """Train, measure, export and pin; the lines of all tables."""
    torch.set_num_threads(1)
    lesson = _lesson(request)
    clean = np.array([e.variant == 0 for e in lesson.examples])
    of_acted = lesson.classes != READ
    say(f"{len(clean)} examples; {(clean & of_acted).sum()} acted clips, {(clean & ~of_acted).sum()} read")

    folds = _folds(lesson)
    chances = np.zeros((len(clean), len(LABELS)))
    for fold in sorted(set(folds)):
        held = np.array([f == fold for f in folds])
        graph = _taught(request, lesson.only(~held))
        chances[held & clean] = _chances(graph, lesson.only(held & clean))
        say(f"{fold} left out")
    left_out, said = lesson.only(clean), chances[clean]
    nested = _nested(left_out, said)
    found = [*acted(left_out, *nested), *aloud(left_out, *_chosen_on_all(left_out, said))]
    say(table("Emotion, every speaker left out in turn", found))
    say(confusion("acted, called", LABELS, calls(left_out, *nested)))
    always = (nested[0], np.zeros(len(said)))
    say(confusion("acted, called, at no threshold", LABELS, calls(left_out, *always)))

    temperature, threshold = _choice(left_out, said)
    graph = _taught(request, lesson)
    graph.temperature = temperature
    say(_ship(request, graph, threshold, lesson.only(clean)))
    return found


def _lesson(request: Request) -> Lesson:
    there = [c for c in ALOUD if (request.data / c / "manifest.jsonl").is_file()]
    read_aloud = per_speaker(read(request.data, there), _MOST_ALOUD) if there else []
    found = list(examples(read(request.data, ACTED), VARIANTS, request.work))
    found += list(examples(read_aloud, VARIANTS_ALOUD, request.work)) if read_aloud else []
    found = [e for e in found if e.utterance.corpus not in ACTED or e.utterance.emotion is not None]
    vectors = np.stack([functionals(e.mel[:_MOST_FRAMES], e.f0_hz[:_MOST_FRAMES]) for e in found])
    return Lesson(found, vectors, np.array([_place(e.utterance) for e in found]))


def _place(utterance: Utterance) -> int:
    return LABELS.index(utterance.emotion) if utterance.corpus in ACTED and utterance.emotion else READ


def _folds(lesson: Lesson) -> list[str]:
    """Each actor is a fold; those who read aloud are left out with one of them."""
    who = [e.utterance for e in lesson.examples]
    actors = sorted({u.speaker for u in who if u.corpus in ACTED})
    return [u.speaker if u.corpus in ACTED else actors[fold_of(u, len(actors))] for u in who]


def _taught(request: Request, lesson: Lesson) -> MoodGraph:
    readers = [teach_reader(lesson, request.seed + i, request.steps) for i in range(request.readers)]
    graph = MoodGraph(readers, 1.0)
    graph.eval()
    return graph


def _chances(graph: MoodGraph, lesson: Lesson) -> Floats:
    with torch.inference_mode():
        return np.stack([graph(torch.from_numpy(v))[0].double().numpy() for v in lesson.functionals])


def _choice(lesson: Lesson, chances: Floats) -> tuple[float, float]:
    """The temperature that makes acted clips likeliest, and the threshold that covers COVERAGE of them."""
    of_acted = lesson.classes != READ
    some, classes = chances[of_acted], lesson.classes[of_acted]
    right = [np.arange(len(LABELS)) == c for c in classes]
    temperature = fitted_temperature(list(np.log(some)), right)
    return temperature, float(np.quantile(_tempered(some, temperature).max(1), 1 - COVERAGE))


def _nested(lesson: Lesson, chances: Floats) -> tuple[Floats, Floats]:
    """Chances and thresholds of each clip, chosen on the clips of the other actors."""
    who = np.array(_folds(lesson))
    warmed, thresholds = chances.copy(), np.zeros(len(chances))
    for speaker in sorted(set(who)):
        held = who == speaker
        temperature, threshold = _choice(lesson.only(~held), chances[~held])
        warmed[held], thresholds[held] = _tempered(chances[held], temperature), threshold
    return warmed, thresholds


def _chosen_on_all(lesson: Lesson, chances: Floats) -> tuple[Floats, Floats]:
    temperature, threshold = _choice(lesson, chances)
    return _tempered(chances, temperature), np.full(len(chances), threshold)


def _tempered(chances: Floats, temperature: float) -> Floats:
    powers = chances ** (1 / temperature)
    found: Floats = powers / powers.sum(1, keepdims=True)
    return found


def _ship(request: Request, graph: MoodGraph, threshold: float, lesson: Lesson) -> str:
    weights = request.out / WEIGHTS.name
    request.out.mkdir(parents=True, exist_ok=True)
    tried = [{"functionals": vector} for vector in lesson.functionals[:20]]
    export(graph, tried[0], ("chances",), weights, frames=())
    card = write_card(
        weights,
        name="speechcraft emotion, small",
        licence=LICENCE,
        about=f"seven acted moods; {len(graph.readers)} networks over functionals",
        facts={"min_confidence": round(threshold, 3), "seed": request.seed, "trained_on": list(TRAINED_ON)},
    )
    gap = difference(graph, weights, tried)
    return f"{weights}: {weights.stat().st_size} bytes, {card['sha256'][:16]}, ONNX differs by {gap:.2g}"
