"""The lines of a table on the mood networks: as the annotator would answer, threshold and all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jobs.train._emotion_fit import LABELS, READ, Lesson
from jobs.train._tables import STATISTICS, Line, line

Floats = npt.NDArray[np.float64]


def acted(lesson: Lesson, chances: Floats, thresholds: Floats) -> list[Line]:
    """Coverage, and recall and accuracy of the covered and of all, of the clips that actors spoke."""
    here = lesson.classes != READ
    who = np.array([e.utterance.speaker for e in lesson.examples])[here]
    sure = chances[here].max(1)
    points = np.stack([lesson.classes[here], chances[here].argmax(1), sure], axis=1).astype(float)
    covered = sure >= thresholds[here]
    found = [line("acted", "covered", covered.astype(float), who.tolist())]
    for whose, some in (("of the covered", covered), ("of all", np.ones(len(who), bool))):
        for name in ("unweighted_recall", "accuracy", "calibration_error"):
            figure = f"{name.replace('_', ' ')}, {whose}"
            found.append(line("acted", figure, points[some], who[some].tolist(), STATISTICS[name]))
    return found


def calls(lesson: Lesson, chances: Floats, thresholds: Floats) -> list[tuple[str, str | None]]:
    """The mood of each clip that actors spoke, and what it is called."""
    here = lesson.classes != READ
    best, sure = chances[here].argmax(1), chances[here].max(1) >= thresholds[here]
    return [
        (LABELS[int(truth)], LABELS[int(found)] if named else None)
        for truth, found, named in zip(lesson.classes[here], best, sure, strict=True)
    ]


def aloud(lesson: Lesson, chances: Floats, thresholds: Floats) -> list[Line]:
    """Of speech read aloud: how much gets a label other than neutral, and how much is called neutral."""
    found: list[Line] = []
    corpora = np.array([e.utterance.corpus for e in lesson.examples])
    for corpus in sorted(set(corpora[lesson.classes == READ])):
        here = (lesson.classes == READ) & (corpora == corpus)
        who = [e.utterance.speaker for e, chosen in zip(lesson.examples, here, strict=True) if chosen]
        named = chances[here].max(1) >= thresholds[here]
        neutral = chances[here].argmax(1) == LABELS.index("neutral")
        found.append(line(f"read aloud, {corpus}", "another mood", (named & ~neutral).astype(float), who))
        found.append(line(f"read aloud, {corpus}", "neutral", (named & neutral).astype(float), who))
    return found
