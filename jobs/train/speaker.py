"""`speechcraft train speaker`: age, measured on speakers and corpora left out, then shipped.

In this order: cross-validation by speaker, from which temperatures and the limit of strangeness come; every
corpus left out in turn; the speakers kept for the end; then the networks that ship, on every speaker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from annotators._functionals import functionals
from annotators._small import write_card
from annotators.speaker.small import CHILD_UNDER, WEIGHTS, YEARS
from jobs.train._corpora import EVALUATED_ON, TRAINED_ON, Utterance, read
from jobs.train._features import Variants, examples
from jobs.train._fit import Fit
from jobs.train._lesson import Lesson
from jobs.train._parts import fold_of, is_test
from jobs.train._shipped import difference, export
from jobs.train._speaker_fit import teach_listener, teach_reader
from jobs.train._speaker_graph import (
    OUTPUTS,
    Heard,
    SpeakerGraph,
    Temperatures,
    familiar,
    fitted_temperature,
    hear,
    inputs_of,
    middle,
)
from jobs.train._speaker_tables import lines
from jobs.train._tables import Line, table

VARIANTS = Variants(elsewhere=2, revoiced=1)
LICENCE = "Apache-2.0"
_STRANGE_PERCENTILE = 97.0  # of speakers of known age in folds that did not teach them

_CONTRADICTED = 0.85  # mean probability of the other gender

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """`readers` and `listeners` networks ship; `left_out` corpora, one by one, do not teach."""

    data: Path
    out: Path
    work: Path
    seed: int = 0
    steps: int = 500
    readers: int = 4
    listeners: int = 2
    folds: int = 3
    left_out: tuple[str, ...] = TRAINED_ON


def run(request: Request, say: Say = print) -> list[Line]:
    """Train, measure, export and pin; the lines of all tables."""
    torch.set_num_threads(1)
    learnt = _lesson(request, TRAINED_ON, VARIANTS)
    development = learnt.where(lambda u: not is_test(u))
    say(f"{len(learnt.examples)} examples, {len(learnt.as_recorded().examples)} of them as recorded")

    validated = _cross_validated(request, development)
    doubtful, temperatures, limit = _doubtful(validated), fitted_temperatures(validated), _limit(validated)
    say(f"{temperatures}; limit of strangeness {limit:.2f}; gender in doubt: {', '.join(sorted(doubtful))}")
    found = lines("cross-validated", tempered(validated, temperatures), limit)
    say(table("Cross-validated by speaker", found))

    learnt, development = replace(learnt, doubtful=doubtful), replace(development, doubtful=doubtful)
    for corpus in request.left_out:
        found += _without(request, corpus, learnt, temperatures, limit, say)
    graph = taught(request, development, temperatures)
    found += lines("kept for the end", heard_by(graph, learnt.where(is_test).as_recorded()), limit)

    graph = taught(request, learnt, temperatures)
    foreign = _lesson(request, EVALUATED_ON, Variants(0, 0))
    for corpus in EVALUATED_ON:
        clips = foreign.where(_of(corpus))
        found += lines(f"{corpus}, never trained on", heard_by(graph, clips), limit)
    say(table("Speaker", found))
    say(_ship(request, graph, limit, learnt.as_recorded()))
    return found


Judged = list[tuple[Utterance, Heard]]


def _lesson(request: Request, corpora: Sequence[str], variants: Variants) -> Lesson:
    there = [c for c in corpora if (request.data / c / "manifest.jsonl").is_file()]
    found = list(examples(read(request.data, there), variants, request.work)) if there else []
    return Lesson(found, np.array([functionals(*middle(e)) for e in found], np.float32))


def _of(corpus: str) -> Callable[[Utterance], bool]:
    return lambda utterance: utterance.corpus == corpus


def _without(
    request: Request, corpus: str, learnt: Lesson, temperatures: Temperatures, limit: float, say: Say
) -> list[Line]:
    """Taught by every other corpus, asked about this one."""
    rest, held = learnt.where(lambda u: u.corpus != corpus), learnt.where(_of(corpus)).as_recorded()
    if not rest.examples or not held.examples:
        return []
    graph = taught(replace(request, listeners=1), rest, temperatures)
    found = lines(f"without {corpus}, on it", heard_by(graph, held), limit)
    say(table(f"Without {corpus}", found))
    return found


def taught(request: Request, lesson: Lesson, temperatures: Temperatures) -> SpeakerGraph:
    """As many readers and listeners as asked for, taught by a lesson."""
    fit = Fit(steps=request.steps, response=0.3)
    readers = [teach_reader(lesson, request.seed + i, 2 * request.steps) for i in range(request.readers)]
    listeners = [teach_listener(lesson, fit, request.seed + i) for i in range(request.listeners)]
    graph = SpeakerGraph(readers, listeners, [familiar(one, lesson) for one in listeners], temperatures)
    graph.eval()
    return graph


def heard_by(graph: SpeakerGraph, lesson: Lesson) -> Judged:
    """What the graph says of each utterance."""
    return [(e.utterance, h) for e, h in zip(lesson.examples, hear(graph, lesson), strict=True)]


def _cross_validated(request: Request, development: Lesson) -> Judged:
    """What networks say, before any temperature, of speakers whom they never heard."""
    found: Judged = []
    for k in range(request.folds):

        def held(utterance: Utterance, fold: int = k) -> bool:
            return fold_of(utterance, request.folds) == fold

        rest = development.where(lambda u: not held(u))
        asked = development.where(held).as_recorded()
        graph = taught(replace(request, listeners=1), rest, Temperatures())
        found += heard_by(graph, asked)
    return found


def _doubtful(judged: Judged) -> frozenset[str]:
    """Grown speakers whose voice, by networks that never heard them, contradicts the label of gender."""
    said: dict[str, list[float]] = {}
    for utterance, heard in judged:
        if utterance.gender and (utterance.age_years is None or utterance.age_years >= CHILD_UNDER):
            wrong = 1 - heard.female if utterance.gender == "female" else heard.female
            said.setdefault(utterance.speaker, []).append(wrong)
    return frozenset(s for s, wrong in said.items() if len(wrong) > 4 and np.mean(wrong) > _CONTRADICTED)


def fitted_temperatures(judged: Judged) -> Temperatures:
    """Fitted to those whose gender a voice tells, and to all of known age."""
    grown = [(u, h) for u, h in judged if u.gender and (u.age_years is None or u.age_years >= CHILD_UNDER)]
    known = [(u, h) for u, h in judged if u.age_years is not None]
    return Temperatures(
        gender=fitted_temperature(
            [np.log([h.female, 1 - h.female]) for _, h in grown],
            [np.array([u.gender == "female", u.gender == "male"]) for u, _ in grown],
        ),
        ages=fitted_temperature(
            [np.log(h.ages) for _, h in known],
            [(YEARS < CHILD_UNDER) == ((u.age_years or 0) < CHILD_UNDER) for u, _ in known],
        ),
    )


def tempered(judged: Judged, temperatures: Temperatures) -> Judged:
    """What would be said at other temperatures than 1."""

    def warm(heard: Heard) -> Heard:
        odds = np.log(heard.female / (1 - heard.female)) / temperatures.gender
        ages = np.exp(np.log(heard.ages) / temperatures.ages)
        return Heard(float(1 / (1 + np.exp(-odds))), ages / ages.sum(), heard.strangeness)

    return [(u, warm(h)) for u, h in judged]


def _limit(judged: Judged) -> float:
    known = [h.strangeness for u, h in judged if u.age_years is not None]
    return float(np.percentile(known, _STRANGE_PERCENTILE))


def _ship(request: Request, graph: SpeakerGraph, limit: float, lesson: Lesson) -> str:
    weights = request.out / WEIGHTS.name
    request.out.mkdir(parents=True, exist_ok=True)
    tried = inputs_of(lesson)[:20]
    export(graph, tried[0], OUTPUTS, weights, frames=("mel", "f0_hz"))
    card = write_card(
        weights,
        name="speechcraft speaker, small",
        licence=LICENCE,
        about=f"gender and age; {len(graph.readers)} networks over functionals, {len(graph.listeners)} over "
        "log-mel and F0",
        facts={"strangeness_limit": round(limit, 3), "seed": request.seed, "trained_on": list(TRAINED_ON)},
    )
    gap = difference(graph, weights, tried)
    return f"{weights}: {weights.stat().st_size} bytes, {card['sha256'][:16]}, ONNX differs by {gap:.2g}"
