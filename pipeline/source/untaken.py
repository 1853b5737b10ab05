"""Labels that a source has and that are not taken as given: told once, never dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.review.corrections import REVIEW
from pipeline.source.given import age_of, gender_of, said

GIVEN = frozenset(["given", REVIEW, "human", "manual", "gold"])
"""What a column of where a label came from says of one that is no annotator's guess."""
FOUND_BY: Mapping[str, tuple[str, str]] = {
    "transcript": ("text", "transcript_source"),
    "language": ("language", "language_source"),
    "gender": ("gender", "gender_source"),
    "age_years": ("age_years", "age_source"),
    "emotion": ("emotion", "emotion_source"),
    "emphasis_word": ("emphasis_word", "emphasis_source"),
    "description": ("description", "caption_source"),
}
"""Columns of a dataset of ours, each with the field it is read as and the column that says who found it."""
TELL_BY = frozenset(by for _, by in FOUND_BY.values())
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Untaken:
    """A label that a clip has. `by`: the annotator that found it; none: it is not understood."""

    field: str
    value: str
    by: str | None = None


def found_by(row: Mapping[str, object], column: str) -> str | None:
    """Which annotator found what stands in a column; none where it is given, or nothing tells."""
    if column not in FOUND_BY:
        return None
    by = said(row.get(FOUND_BY[column][1]))
    return None if by is None or by.casefold() in GIVEN else by


def untaken(row: Mapping[str, object], fields: Mapping[str, object]) -> tuple[Untaken, ...]:
    """The labels of a row that are in `fields` no more, or that are and cannot be understood."""
    if TELL_BY.isdisjoint(row):
        return not_understood(fields)
    found = [
        Untaken(field, value, by)
        for column, (field, _) in FOUND_BY.items()
        if (value := said(row.get(column))) is not None and (by := found_by(row, column)) is not None
    ]
    return (*found, *not_understood(fields))


def not_understood(fields: Mapping[str, object]) -> tuple[Untaken, ...]:
    """The labels of which nothing can be made."""
    return tuple(
        Untaken(name, value)
        for name, read in (("gender", gender_of), ("age_years", age_of))
        if read(fields.get(name)) is None and (value := said(fields.get(name))) is not None
    )


@dataclass(slots=True)
class Tally:
    """What was not taken of a whole source: clips by field and annotator, and values not understood."""

    clips: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, labels: Iterable[Untaken]) -> None:
        """Those of one more clip."""
        for label in labels:
            self.clips[label.field, label.by] += 1
            examples = self.examples.setdefault(label.field, [])
            if label.by is None and label.value not in examples and len(examples) < _EXAMPLES:
                examples.append(label.value)
