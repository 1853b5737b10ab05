"""Speaking rate against hand-marked phones, words and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jobs.evaluate.case import Case
from jobs.evaluate.labels import Mark, marks
from jobs.evaluate.metric import Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import MEDIAN
from pipeline.rows import Speed

SILENCES = frozenset({"h#", "pau", "epi"})
NUCLEI = frozenset(
    {
        "iy",
        "ih",
        "eh",
        "ey",
        "ae",
        "aa",
        "aw",
        "ay",
        "ah",
        "ao",
        "oy",
        "ow",
        "uh",
        "uw",
        "ux",
        "er",
        "ax",
        "ix",
    }
    | {"axr", "ax-h", "el", "em", "en", "eng"}
)
_PLACES = ("bcl pcl b p", "dcl tcl d t jh ch", "gcl kcl g k")
_PLACE = {label: i for i, labels in enumerate(_PLACES) for label in labels.split()}
_GLOTTAL = "q"
_OTHERS = {
    "dx",
    "f",
    "v",
    "th",
    "dh",
    "s",
    "sh",
    "z",
    "zh",
    "hh",
    "hv",
    "m",
    "n",
    "ng",
    "nx",
    "l",
    "r",
    "w",
    "y",
}
_TIMIT = SILENCES | NUCLEI | _OTHERS | {_GLOTTAL, *_PLACE}

_RATES = ("words_per_s", "syllables_per_s", "phones_per_s", "speech_s")


@dataclass(frozen=True, slots=True)
class Count:
    """What hand-marked phones say of a clip."""

    phones: int
    syllables: int
    speech_s: float


def count(phones: Sequence[Mark]) -> Count:
    """Phones, syllables and the time of speech of a sequence of TIMIT phones.

    A closure and the release at the same place that follows it are one stop or affricate; a closure
    alone is one stop. A glottal stop is time of speech and no phone, as in the 39-phone folding of
    Lee and Hon (1989): 55 of 70 in TIMIT open a vowel, the others stand for a /t/ (0.6 % of phones).
    The words in a dictionary's phones are 4.8 % more (median per clip) than people mark.
    """
    spoken = [m for m in phones if m.label not in SILENCES]
    sounds = [m for m in spoken if m.label != _GLOTTAL]
    released = sum(_is_release(a, b) for a, b in pairwise(sounds))
    return Count(
        phones=len(sounds) - released,
        syllables=sum(m.label in NUCLEI for m in sounds),
        speech_s=sum(m.end_s - m.start_s for m in spoken),
    )


def _is_release(before: Mark, after: Mark) -> bool:
    touching = after.start_s - before.end_s < 0.001
    closed = before.label.endswith("cl") and not after.label.endswith("cl")
    return touching and closed and _PLACE.get(before.label) == _PLACE.get(after.label)


def _reference(phones: Sequence[Mark], words: Sequence[Mark] | None) -> dict[str, float]:
    counted = count(phones)
    if counted.speech_s <= 0:
        return {}
    rates = {
        "syllables_per_s": counted.syllables / counted.speech_s,
        "phones_per_s": counted.phones / counted.speech_s,
        "speech_s": counted.speech_s,
    }
    return rates | ({"words_per_s": len(words) / counted.speech_s} if words else {})


def _measure(case: Case) -> Measured | Missing | None:
    phones = marks(case.labels, "phones")
    if phones is None:
        return None
    if not all(m.label in _TIMIT for m in phones):
        return Missing("phones of another set than TIMIT's")
    reference = _reference(phones, marks(case.labels, "words"))
    reference = {name: rate for name, rate in reference.items() if rate > 0}
    if not reference:
        return Missing("no speech among the phones")
    speed = case.maybe(Speed)
    if speed is None:
        return Missing("no speed")
    points = {}
    for name, truth in reference.items():
        found: float | None = getattr(speed, name)
        if found is not None:
            off = np.array([found / truth - 1])
            points[f"{name}_error"], points[f"{name}_bias"] = np.abs(off), off
    return Measured(points, {"text": case.text_origin})


METRIC = Metric(
    name="rate",
    title="Speaking rate",
    definition=(
        "Reference: hand-marked TIMIT `phones` and `words`, per second of speech: the time outside h#, pau "
        "and epi. Syllables are vowels and syllabic consonants. A closure with its release at the same place "
        "is one phone, as is a closure without release; a glottal stop (q) is no phone. Errors are relative "
        "to the reference, one per clip."
    ),
    figures=tuple(
        figure
        for name in _RATES
        for figure in (
            Figure(f"{name}_error", "%", f"median absolute relative error of {name}", MEDIAN),
            Figure(f"{name}_bias", "%", f"median signed relative error of {name}", MEDIAN),
        )
    ),
    measure=_measure,
)
