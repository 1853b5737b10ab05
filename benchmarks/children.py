"""How often `speaker=small` calls a grown speaker a child, and what else it says, of speakers it never heard.

    python -m benchmarks.children DATA --work WORK

Both models together, as the annotator answers by default, over sound as it was recorded. Cross-validated by
speaker and without each corpus in turn it is the model of gender, trained anew, with stand-ins for the
networks of age: half of them, which learn from few augmented clips; of corpora that taught nothing it is the
shipped models. WORK keeps features and what
was said, so that the command goes on where it was stopped; 10 minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from annotators._small import Network, facts
from annotators.speaker.small import CHILD_UNDER, GENDER_WEIGHTS, WEIGHTS, Opinion, Sure, answered, opinion
from jobs.train import gender, speaker
from jobs.train._corpora import EVALUATED_ON, TRAINED_ON, Utterance
from jobs.train._gender_fit import Floats, contradicted, grown, teach
from jobs.train._lesson import Lesson
from jobs.train._parts import fold_of
from jobs.train._report import cache
from jobs.train._speaker_graph import Heard as AgesHeard
from jobs.train._speaker_graph import Temperatures, middle
from jobs.train._tables import Line, line, table
from pipeline.rows import AGE_GROUPS_FROM_YEARS, Speaker

Said = Sequence[tuple[Utterance, Opinion]]
Heard = Sequence[tuple[Utterance, AgesHeard, Floats]]
Chosen = Callable[[Utterance], bool]

FOLDS = 5
ADULT_FROM = AGE_GROUPS_FROM_YEARS[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=cache())
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(table("Gender, age and child, by both models", list(found(asked.data, asked.work))))


def found(data: Path, work: Path) -> Iterator[Line]:
    """The lines of the table."""
    request = gender.Request(data, work, work)
    learnt = gender.lesson_of(request, TRAINED_ON, gender.MOST_AUGMENTED)
    learnt = replace(learnt, doubtful=contradicted(learnt))
    temperatures = gender.fitted_temperatures(gender.cross_validated(request, learnt), learnt.doubtful)
    sure = Sure(strangeness=float(facts(WEIGHTS)["strangeness_limit"]))

    def heard(held: Chosen, name: str) -> Heard:
        path = work / f"children-{name}.npz"
        return _kept(path, utterances, lambda: _unheard(learnt, held, temperatures))

    utterances = {e.utterance.key: e.utterance for e in learnt.examples}
    raw = [one for k in range(FOLDS) for one in heard(_in_fold(k), f"fold-{k}")]
    warmth = speaker.fitted_temperatures([(u, h) for u, h, _ in raw])
    validated = _opinions(raw, warmth)
    yield from lines("cross-validated", validated, sure)
    clear = [(u, o) for u, o in validated if u.speaker not in learnt.doubtful]
    yield from _gender("cross-validated, less labels that pitch contradicts", _answers(clear, sure))
    for corpus in TRAINED_ON:
        yield from lines(f"{corpus}, cross-validated", _of(validated, corpus), sure)
        without = _opinions(heard(_from(corpus), f"without-{corpus}"), warmth)
        yield from lines(f"{corpus}, trained without it", without, sure)
    foreign = shipped(gender.lesson_of(request, EVALUATED_ON, 0))
    for corpus in EVALUATED_ON:
        yield from lines(f"{corpus}, never trained on", _of(foreign, corpus), sure)


def _unheard(learnt: Lesson, held: Chosen, temperatures: tuple[float, float]) -> Heard:
    """What models that did not hear some utterances say of them, the ages before any temperature."""
    rest, asked = learnt.where(lambda u: not held(u)), learnt.where(held).as_recorded()
    request = speaker.Request(Path(), Path(), Path(), readers=2, listeners=1)
    of_age = speaker.heard_by(speaker.taught(request, rest, Temperatures()), asked)
    of_gender = gender.heard_by(teach(rest, temperatures), asked)
    return [(u, ages, said) for (u, ages), (_, said) in zip(of_age, of_gender, strict=True)]


def _opinions(heard: Heard, warmth: Temperatures) -> Said:
    warm = speaker.tempered([(u, h) for u, h, _ in heard], warmth)
    return [
        (u, Opinion(float(said[0]), float(said[1]), float(said[2]), h.ages, h.strangeness))
        for (u, h), (_, _, said) in zip(warm, heard, strict=True)
    ]


def shipped(lesson: Lesson) -> Said:
    """What the shipped models say."""
    of_gender, of_age = Network(GENDER_WEIGHTS), Network(WEIGHTS)
    pairs = []
    for example, vector in zip(lesson.examples, lesson.functionals, strict=True):
        mel, f0_hz = middle(example)
        ages = of_age(mel=mel, f0_hz=f0_hz, functionals=vector)
        pairs.append((example.utterance, opinion(of_gender(functionals=vector), ages)))
    return pairs


def lines(part: str, said: Said, sure: Sure) -> Iterator[Line]:
    """All figures of a part; those that have no clips are left out."""
    rows = _answers(said, sure)
    yield from _gender(part, rows)
    adults = [(u, r) for u, r in rows if u.age_years is None or u.age_years >= ADULT_FROM]
    yield from _share(part, "adults called a child", adults, _child)
    women = [(u, r) for u, r in adults if u.gender == "female"]
    yield from _share(part, "women called a child", women, _child)
    yield from _share(part, "adults called a teenager", adults, _teenager)
    children = [(u, r) for u, r in rows if not grown(u)]
    yield from _share(part, "children called a child", children, _child)
    yield from _share(part, "children given another age", children, _grown)
    yield from _ages(part, [(u, r) for u, r in rows if u.age_years is not None])


Rows = Sequence[tuple[Utterance, Speaker]]


def _answers(said: Said, sure: Sure) -> Rows:
    return [(u, answered(o, sure)) for u, o in said]


def _gender(part: str, rows: Rows) -> Iterator[Line]:
    labelled = [(u, r) for u, r in rows if u.gender]
    for whose, some in (
        ("from 13 years", [(u, r) for u, r in labelled if grown(u)]),
        ("of children", [(u, r) for u, r in labelled if not grown(u)]),
    ):
        yield from _share(part, f"gender {whose}: covered", some, lambda r: r.gender is not None)
        named = [(u, r) for u, r in some if r.gender is not None]
        if named:
            right = np.array([float(u.gender == r.gender) for u, r in named])
            yield line(part, f"gender {whose}: right, of these", right, [u.speaker for u, _ in named])


def _ages(part: str, known: Rows) -> Iterator[Line]:
    yield from _share(part, "age: covered", known, lambda r: r.age_years is not None)
    off = [(u.speaker, abs(r.age_years - (u.age_years or 0.0))) for u, r in known if r.age_years is not None]
    if off:
        yield line(part, "age: mean error in years", np.array([v for _, v in off]), [s for s, _ in off])


def _share(part: str, figure: str, rows: Rows, holds: Callable[[Speaker], bool]) -> Iterator[Line]:
    if rows:
        yield line(part, figure, np.array([float(holds(r)) for _, r in rows]), [u.speaker for u, _ in rows])


def _child(row: Speaker) -> bool:
    return row.age_years is not None and row.age_years < CHILD_UNDER


def _teenager(row: Speaker) -> bool:
    return row.age_years is not None and CHILD_UNDER <= row.age_years < ADULT_FROM


def _grown(row: Speaker) -> bool:
    return row.age_years is not None and row.age_years >= CHILD_UNDER


def _in_fold(k: int) -> Chosen:
    return lambda utterance: fold_of(utterance, FOLDS) == k


def _from(corpus: str) -> Chosen:
    return lambda utterance: utterance.corpus == corpus


def _of(said: Said, corpus: str) -> Said:
    return [(u, o) for u, o in said if u.corpus == corpus]


def _kept(path: Path, utterances: Mapping[str, Utterance], make: Callable[[], Heard]) -> Heard:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = make()
        np.savez(
            path,
            keys=[u.key for u, _, _ in made],
            female=[h.female for _, h, _ in made],
            ages=[h.ages for _, h, _ in made],
            strangeness=[h.strangeness for _, h, _ in made],
            said=[said for _, _, said in made],
        )
    with np.load(path) as file:
        columns = (file[name] for name in ("keys", "female", "ages", "strangeness", "said"))
        return [
            (utterances[key], AgesHeard(float(female), ages, float(strange)), said)
            for key, female, ages, strange, said in zip(*columns, strict=True)
        ]


if __name__ == "__main__":
    main()
