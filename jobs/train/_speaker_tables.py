"""The lines of a table on the speaker network: as the annotator would answer, thresholds and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from annotators.speaker.small import CHILD_UNDER, Sure, judged
from jobs.train._corpora import Utterance
from jobs.train._speaker_graph import Heard
from jobs.train._tables import STATISTICS, Line, line
from pipeline.rows import AGE_GROUPS_FROM_YEARS, Speaker

GENDER_FROM, AGE_FROM = 0.6, 0.5
"""The annotator's own thresholds."""

_ADULT_FROM = AGE_GROUPS_FROM_YEARS[1]
_EXACT = Sure(0.0, 0.0, np.inf)

Answered = Sequence[tuple[Utterance, Speaker, Speaker]]


def lines(part: str, found: Sequence[tuple[Utterance, Heard]], limit: float) -> list[Line]:
    """Gender of those whose voice tells it, children's, and ages."""
    sure = Sure(GENDER_FROM, AGE_FROM, limit)
    answered = [(u, _row(h, sure), _row(h, _EXACT)) for u, h in found]
    grown = [a for a in answered if a[0].gender and not _child(a[0])]
    children = [a for a in answered if a[0].gender and _child(a[0])]
    aged = [a for a in answered if a[0].age_years is not None]
    return [
        *_gender(part, "gender, from 13 years or age unknown", grown),
        *_gender(part, "gender, children", children),
        *_age(part, aged),
    ]


def _row(heard: Heard, sure: Sure) -> Speaker:
    return judged(heard.female, heard.ages, heard.strangeness, sure)


def _child(utterance: Utterance) -> bool:
    return utterance.age_years is not None and utterance.age_years < CHILD_UNDER


def _gender(part: str, whose: str, answered: Answered) -> Iterator[Line]:
    if not answered:
        return
    who = [u.speaker for u, _, _ in answered]
    points = np.array(
        [[_place(u.gender), _place(e.gender), e.gender_confidence or 0] for u, _, e in answered]
    )
    given = np.array([row.gender is not None for _, row, _ in answered])
    named = [s for s, g in zip(who, given, strict=True) if g]
    yield line(part, f"{whose}: covered", given.astype(float), who)
    yield line(part, f"{whose}: right, of the covered", _right(points[given]), named)
    yield line(part, f"{whose}: right, of all", _right(points), who)
    yield line(part, f"{whose}: calibration error", points, who, STATISTICS["calibration_error"])


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


def _place(gender: str | None) -> int:
    return ("female", "male").index(gender or "male")


def _right(points: np.ndarray) -> np.ndarray:
    return np.asarray(points[:, 0] == points[:, 1], dtype=float)
