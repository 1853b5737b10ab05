"""The lines of a table on the networks of age: as the annotator would answer, thresholds and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from annotators.speaker.small import CHILD_UNDER, Sure, aged
from jobs.train._corpora import Utterance
from jobs.train._speaker_graph import Heard
from jobs.train._tables import Line, line
from pipeline.rows import AGE_GROUPS_FROM_YEARS, Speaker

_ADULT_FROM = AGE_GROUPS_FROM_YEARS[1]
_EXACT = Sure(age=0.0)

Answered = Sequence[tuple[Utterance, Speaker, Speaker]]


def lines(part: str, found: Sequence[tuple[Utterance, Heard]], limit: float) -> list[Line]:
    """Ages of those who say theirs."""
    known = [(u, h) for u, h in found if u.age_years is not None]
    sure = Sure(strangeness=limit)
    return list(_age(part, [(u, _row(h, sure), _row(h, _EXACT)) for u, h in known]))


def _row(heard: Heard, sure: Sure) -> Speaker:
    return aged(heard.ages, heard.strangeness, sure)


def _child(utterance: Utterance) -> bool:
    return utterance.age_years is not None and utterance.age_years < CHILD_UNDER


def _age(part: str, answered: Answered) -> Iterator[Line]:
    if not answered:
        return
    who = [u.speaker for u, _, _ in answered]
    off = np.array([abs((e.age_years or 0.0) - (u.age_years or 0.0)) for u, _, e in answered])
    given = np.array([row.age_years is not None for _, row, _ in answered])
    named = [s for s, g in zip(who, given, strict=True) if g]
    yield line(part, "age: covered", given.astype(float), who)
    yield line(part, "age: mean absolute error in years, of the covered", off[given], named)
    yield line(part, "age: mean absolute error in years, of all", off, who)
    far = [(u, r) for u, _, r in answered if _child(u) or (u.age_years or 0) >= _ADULT_FROM]
    told = np.array([float(_child(u) == ((r.child_probability or 0) >= 0.5)) for u, r in far])
    yield line(part, "child or adult: right", told, [u.speaker for u, _ in far])
