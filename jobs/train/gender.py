"""`speechcraft train gender`: measured on speakers and corpora left out, then shipped.

In this order: cross-validation by speaker, from which the temperatures come; every corpus left out in turn;
then the model that ships, of every speaker, asked about corpora that taught it nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from annotators._functionals import functionals
from annotators._small import write_card
from annotators.speaker.small import GENDER_WEIGHTS, Sure, gender_of
from jobs.train._corpora import EVALUATED_ON, TRAINED_ON, Utterance, per_speaker, read
from jobs.train._features import Example, Variants, examples
from jobs.train._gender_fit import (
    ADULT_FROM,
    OUTPUTS,
    Floats,
    GenderGraph,
    contradicted,
    grown,
    hear,
    teach,
)
from jobs.train._lesson import Lesson
from jobs.train._parts import fold_of
from jobs.train._shipped import difference, export
from jobs.train._speaker_graph import fitted_temperature, middle
from jobs.train._tables import STATISTICS, Line, confusion, line, table
from pipeline.rows import Gender

AUGMENTED = Variants(elsewhere=1, revoiced=1)
LICENCE = "Apache-2.0"
GENDERS = ("female", "male")
_SURE = Sure()
MOST_AUGMENTED = 4  # clips of each speaker

Say = Callable[[str], None]
Chosen = Callable[[Utterance], bool]
Judged = Sequence[tuple[Utterance, Floats]]


@dataclass(frozen=True, slots=True)
class Request:
    """`left_out` corpora, one by one, do not teach."""

    data: Path
    out: Path
    work: Path
    folds: int = 5
    left_out: tuple[str, ...] = TRAINED_ON


def run(request: Request, say: Say = print) -> list[Line]:
    """Train, measure, export and pin; the lines of all tables."""
    torch.set_num_threads(1)
    learnt = lesson_of(request, TRAINED_ON, MOST_AUGMENTED)
    learnt = replace(learnt, doubtful=contradicted(learnt))
    say(f"{len(learnt.examples)} examples, {len(learnt.as_recorded().examples)} of them as recorded")
    say(f"pitch contradicts the gender of {', '.join(sorted(learnt.doubtful)) or 'nobody'}")

    validated = cross_validated(request, learnt)
    temperatures = fitted_temperatures(validated, learnt.doubtful)
    say(f"temperatures of {', '.join(OUTPUTS[:2])}: {temperatures[0]:.3f}, {temperatures[1]:.3f}")
    validated = _tempered(validated, temperatures)
    found = list(_lines("cross-validated", validated, learnt.doubtful))
    calls = [(u.gender, _said(p)) for u, p in validated if u.gender and grown(u)]
    for corpus in request.left_out:
        rest, held = learnt.where(_not(_of(corpus))), learnt.where(_of(corpus)).as_recorded()
        if rest.examples and held.examples:
            judged = heard_by(teach(rest, temperatures), held)
            found += _lines(f"without {corpus}, on it", judged, learnt.doubtful)

    graph = teach(learnt, temperatures)
    foreign = lesson_of(request, EVALUATED_ON, 0)
    for corpus in EVALUATED_ON:
        clips = foreign.where(_of(corpus))
        found += _lines(f"{corpus}, never trained on", heard_by(graph, clips), contradicted(clips))
    say(table("Gender", found))
    say(confusion("cross-validated, from 13 years, called", GENDERS, calls))
    say(_ship(request, graph, learnt.as_recorded()))
    return found


def lesson_of(request: Request, corpora: Sequence[str], most_augmented: int) -> Lesson:
    """Every clip as recorded, and a few of each speaker augmented."""
    there = [c for c in corpora if (request.data / c / "manifest.jsonl").is_file()]
    clips = read(request.data, there) if there else []
    found: list[Example] = list(examples(clips, Variants(0, 0), request.work)) if clips else []
    if clips and most_augmented:
        few = per_speaker(clips, most_augmented)
        found += [e for e in examples(few, AUGMENTED, request.work) if e.variant]
    return Lesson(found, np.array([functionals(*middle(e)) for e in found], np.float32))


def _of(corpus: str) -> Chosen:
    return lambda utterance: utterance.corpus == corpus


def _in_fold(k: int, n: int) -> Chosen:
    return lambda utterance: fold_of(utterance, n) == k


def _not(chosen: Chosen) -> Chosen:
    return lambda utterance: not chosen(utterance)


def heard_by(graph: GenderGraph, lesson: Lesson) -> Judged:
    """What the graph says of each utterance: a number for each of OUTPUTS."""
    return list(zip((e.utterance for e in lesson.examples), hear(graph, lesson), strict=True))


def cross_validated(request: Request, learnt: Lesson) -> Judged:
    """What is said, before any temperature, of speakers who were never heard."""
    found: list[tuple[Utterance, Floats]] = []
    for k in range(request.folds):
        rest = learnt.where(_not(_in_fold(k, request.folds)))
        asked = learnt.where(_in_fold(k, request.folds)).as_recorded()
        if rest.examples and asked.examples:
            found += heard_by(teach(rest), asked)
    return found


def fitted_temperatures(judged: Judged, doubtful: frozenset[str]) -> tuple[float, float]:
    """Of gender, fitted to grown speakers, and of a child, to all of known age but teenagers."""
    tells = [(u, p) for u, p in judged if u.gender and grown(u) and u.speaker not in doubtful]
    old = [(u, p) for u, p in judged if u.age_years is not None and not 13 <= u.age_years < ADULT_FROM]
    return (
        fitted_temperature(
            [_logs(p[0]) for _, p in tells],
            [np.array([u.gender == "female", u.gender == "male"]) for u, _ in tells],
        ),
        fitted_temperature(
            [_logs(p[1]) for _, p in old], [np.array([not grown(u), grown(u)]) for u, _ in old]
        ),
    )


def _logs(chance: float) -> Floats:
    return np.log([chance, 1 - chance])


def _tempered(judged: Judged, temperatures: tuple[float, float]) -> Judged:
    odds = [np.log(p[:2] / (1 - p[:2])) / temperatures for _, p in judged]
    return [(u, np.append(1 / (1 + np.exp(-o)), p[2:])) for (u, p), o in zip(judged, odds, strict=True)]


def _lines(part: str, judged: Judged, doubtful: frozenset[str]) -> Iterator[Line]:
    labelled = [(u, p) for u, p in judged if u.gender]
    adults = [(u, p) for u, p in labelled if grown(u)]
    clear = [(u, p) for u, p in adults if u.speaker not in doubtful]
    yield from _figures(part, "from 13 years or age unknown", adults)
    if len(clear) < len(adults):
        yield from _figures(part, "the same, less labels that pitch contradicts", clear)
    yield from _figures(part, "children", [(u, p) for u, p in labelled if not grown(u)])
    yield from _figures(part, "all", labelled)


def _figures(part: str, whose: str, judged: Judged) -> Iterator[Line]:
    if not judged:
        return
    who = [u.speaker for u, _ in judged]
    said = [_said(p) for _, p in judged]
    points = np.array([[_place(u.gender), p[0] < 0.5, max(p[0], 1 - p[0])] for u, p in judged], float)
    given = np.array([gender is not None for gender in said])
    named = [s for s, g in zip(who, given, strict=True) if g]
    yield line(part, f"{whose}: covered", given.astype(float), who)
    yield line(part, f"{whose}: right, of the covered", _right(points[given]), named)
    yield line(part, f"{whose}: right, of all", _right(points), who)
    if given.any():
        calibration = STATISTICS["calibration_error"]
        yield line(part, f"{whose}: calibration error, of the covered", points[given], named, calibration)


def _said(chances: Floats) -> Gender | None:
    return gender_of(float(chances[0]), float(chances[1]), _SURE)[0]


def _place(gender: str | None) -> int:
    return GENDERS.index(gender or "male")


def _right(points: Floats) -> Floats:
    return np.asarray(points[:, 0] == points[:, 1], dtype=float)


def _ship(request: Request, graph: GenderGraph, lesson: Lesson) -> str:
    weights = request.out / GENDER_WEIGHTS.name
    request.out.mkdir(parents=True, exist_ok=True)
    tried = [{"functionals": vector} for vector in lesson.functionals[:20]]
    export(graph, tried[0], OUTPUTS, weights, frames=(), folded=False)
    card = write_card(
        weights,
        name="speechcraft gender, small",
        licence=LICENCE,
        about=f"gender; kernel ridge regression over functionals of {len(graph.kernel.clips)} clips",
        facts={"trained_on": list(TRAINED_ON)},
    )
    gap = difference(graph, weights, tried)
    return f"{weights}: {weights.stat().st_size} bytes, {card['sha256'][:16]}, ONNX differs by {gap:.2g}"
