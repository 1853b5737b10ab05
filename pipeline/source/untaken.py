"""Labels that a source has and that are not taken as given: told once, never dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.languages import language_code
from pipeline.review.corrections import REVIEW
from pipeline.rows import ASSUMED
from pipeline.source.given import age_of, gender_of, said, word_of

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
FINDERS: Mapping[str, frozenset[str]] = {
    "transcript_source": frozenset(["pocketsphinx", "whisper", "faster_whisper"]),
    "language_source": frozenset(["script", ASSUMED, "whisper", "voxlingua"]),
    "gender_source": frozenset(["small", "audeering"]),
    "age_source": frozenset(["small", "audeering"]),
    "emotion_source": frozenset(["small", "emotion2vec", "secap"]),
    "emphasis_source": frozenset(["small", "whistress"]),
    "caption_source": frozenset(["realiser", "llm"]),
}
"""What the annotators here call themselves in those columns, before a colon where more follows."""
MARKS = frozenset(["status", "skipped"])
"""Columns that together only a dataset of ours has."""
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Untaken:
    """A label that a clip has. `by`: the annotator that found it; none: it is not understood."""

    field: str
    value: str
    by: str | None = None


def found_by(row: Mapping[str, object], column: str) -> str | None:
    """Which annotator found what stands in a column; none where it is given, or nothing tells.

    In a row that is not of a dataset of ours any word but an annotator's name may stand for a truth:
    `librivox`, `self-reported`.
    """
    if column not in FOUND_BY:
        return None
    tells = FOUND_BY[column][1]
    by = said(row.get(tells))
    if by is None or by.casefold() in GIVEN:
        return None
    return by if is_finder(tells, by) or _is_ours(row) else None


def is_finder(tells: str, by: str) -> bool:
    """Whether a word in a column of who found something is the name of an annotator of that."""
    return by.partition(":")[0].casefold() in FINDERS[tells]


def _is_ours(row: Mapping[str, object]) -> bool:
    """Whether a row is of a dataset of ours: by its marks, or because two columns say what ours would."""
    if row.keys() >= MARKS:
        return True
    named = [(tells, by) for tells in TELL_BY if (by := said(row.get(tells))) is not None]
    return sum(by in ("given", REVIEW) or is_finder(tells, by) for tells, by in named) > 1


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
        for name, read in _READ_BY.items()
        if read(fields.get(name)) is None and (value := said(fields.get(name))) is not None
    )


def _language_of(value: object) -> str | None:
    """A code; `und` and `mis`, which say that nobody knows it, are understood as that."""
    name = word_of(value)
    return None if name is None else "und" if name.casefold() in ("und", "mis") else language_code(name)


_READ_BY: Mapping[str, Callable[[object], object]] = {
    "language": _language_of,
    "gender": gender_of,
    "age_years": age_of,
}


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
