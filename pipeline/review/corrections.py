"""What a person may say of a clip, and what a row is once they have said it.

A correction is a truth about the clip: it beats what any annotator finds, now or later. A rejection
speaks of the value that was heard to be wrong, and of no other: a new model's value is not touched by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pipeline.clip import Absent
from pipeline.rows import Caption, Emotion, Emphasis, Labels, Language, Row, Speaker, Topic, Transcript
from pipeline.schema import choices_of
from pipeline.text import clean

REVIEW = "review"
"""The source of a value that a person set."""
REJECTED = Absent("skipped", "rejected in review")
MOST_CHARACTERS = 10_000
"""Of a value that a person writes: an hour of fast speech."""

_NOBODY = Speaker(None, None, None, None, None, None)
_NO_LABELS = Labels(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Correction:
    """One value that is right (`correct`), or that is wrong (`reject`).

    `place` is that of a stressed word among the words of the transcript, from 0.
    """

    attribute: str
    verdict: Literal["correct", "reject"]
    value: str | None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column people judge. `put` makes of a clip's row, None where it has none, the corrected one."""

    name: str
    title: str
    row: type[Row]
    put: Callable[[Any, Correction], Row | None]
    gone: Mapping[str, None]
    """Columns that go with a rejected value, itself included; none of them: the row goes."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it may have; empty where any text may stand."""
        return choices_of(self.row, self.name)

    def value(self, row: Row | Absent | None) -> str | None:
        """What the row says."""
        found = getattr(row, self.name) if isinstance(row, self.row) else None
        return None if found is None else str(found)


def _speaker(row: Speaker | None, to: Correction) -> Row:
    gender: Any = to.value
    return replace(row or _NOBODY, gender=gender, gender_source=REVIEW, gender_confidence=None)


def _transcript(row: Transcript | None, to: Correction) -> Row | None:
    text = to.value or ""
    return Transcript(clean(text), text, REVIEW, None) if clean(text) else None


def _emotion(row: Emotion | None, to: Correction) -> Row:
    emotion: Any = to.value
    return Emotion(emotion, REVIEW, None, None)


def _label(row: Labels | None, to: Correction) -> Row:
    return replace(row or _NO_LABELS, **{to.attribute: to.value})  # type: ignore[arg-type]


def _caption(row: Caption | None, to: Correction) -> Row | None:
    """None without captions: their language is not known."""
    if row is None:
        return None
    text: Any = {to.attribute: to.value}
    return replace(row, **text, caption_source=REVIEW, caption_attributes=())


def _attribute(
    name: str, title: str, row: type[Row], put: Callable[..., Row | None], *gone: str
) -> Attribute:
    return Attribute(name, title, row, put, dict.fromkeys((name, *gone) if gone else ()))


ATTRIBUTES: Mapping[str, Attribute] = {
    a.name: a
    for a in (
        _attribute("transcript", "Transcript", Transcript, _transcript),
        _attribute(
            "language",
            "Language",
            Language,
            lambda row, to: Language(to.value, REVIEW, None),
            "language_source",
            "language_confidence",
        ),
        _attribute("gender", "Gender", Speaker, _speaker, "gender_source", "gender_confidence"),
        _attribute("age_group", "Age", Labels, _label, "age_group"),
        _attribute("pitch_label", "Pitch", Labels, _label, "pitch_label_basis"),
        _attribute("energy_label", "Energy", Labels, _label, "energy_label"),
        _attribute("speed_label", "Speed", Labels, _label, "speed_label"),
        _attribute(
            "emotion", "Emotion", Emotion, _emotion, "emotion_source", "emotion_confidence", "emotion_caption"
        ),
        _attribute(
            "emphasis_word",
            "Stressed word",
            Emphasis,
            lambda row, to: Emphasis(to.value, to.place, REVIEW, None),
            "emphasis_index",
            "emphasis_source",
            "emphasis_confidence",
        ),
        _attribute("topic", "Topic", Topic, lambda row, to: Topic(to.value, REVIEW), "topic_source"),
        _attribute("description", "Description", Caption, _caption, "description"),
        _attribute("instruction", "Instruction", Caption, _caption, "instruction"),
    )
}
"""In the order people judge them: what others are made from comes first."""


def corrected(row: type[Row], found: Row | Absent, corrections: Sequence[Correction]) -> Row | Absent:
    """What a clip's row is under its corrections; those of other rows change nothing."""
    for to in corrections:
        attribute = ATTRIBUTES.get(to.attribute)
        if attribute is not None and attribute.row is row:
            found = _corrected(attribute, found, to)
    return found


def _corrected(attribute: Attribute, found: Row | Absent, to: Correction) -> Row | Absent:
    there = found if isinstance(found, Row) else None
    if to.verdict == "correct":
        return attribute.put(there, to) or found
    if there is None or attribute.value(there) != to.value:
        return found
    return replace(there, **attribute.gone) if attribute.gone else REJECTED


def families(corrections: Sequence[Correction]) -> frozenset[str]:
    """The families that these change."""
    return frozenset(ATTRIBUTES[to.attribute].row.family for to in corrections if to.attribute in ATTRIBUTES)


def plain(corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    """As JSON."""
    return [asdict(to) for to in corrections]


def parsed(found: Sequence[Mapping[str, Any]]) -> tuple[Correction, ...]:
    """From JSON."""
    return tuple(Correction(**to) for to in found)
