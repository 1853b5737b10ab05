"""How far a run and the people who reviewed it agree, and they with each other.

Cohen (1960): kappa = (observed - expected) / (1 - expected), where `expected` is how often two who say
each class as often as these two would agree by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.review.corrections import ATTRIBUTES
from pipeline.review.judgements import Judgement, OfClip

RUN = "run"
Label = tuple[str, str | None]
"""What somebody says of an attribute: `("is", value)` or `("not", value)`."""
Values = Mapping[str, Mapping[str, str | None]]
"""What the run found, by clip and attribute; an attribute that is missing was not looked for."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two that said something of `n` clips. `agreed_percent` is 0..100.

    Of classes, what they say is compared; of texts, whether they find what was judged right, as
    equal wording is not to be expected. `kappa` is None where one of them always says the same and so
    does the other, and of the run's own texts, which it always finds right.
    """

    attribute: str
    first: str
    second: str
    n: int
    agreed_percent: float
    kappa: float | None


def agreement(standing: Mapping[str, OfClip], values: Values) -> tuple[Agreement, ...]:
    """By attribute: the run with each reviewer, then every two reviewers. Names are told to nobody."""
    people = _named(standing)
    found = []
    for attribute in ATTRIBUTES:
        judged = {clip: of[attribute] for clip, of in standing.items() if attribute in of}
        for person, name in people.items():
            pairs = _with_run(attribute, person, judged, values)
            found += _agreement(attribute, RUN, name, pairs, known=bool(ATTRIBUTES[attribute].choices))
        for one, other in combinations(people, 2):
            both = [(by[one], by[other]) for by in judged.values() if one in by and other in by]
            pairs = list(_with_each_other(attribute, both))
            found += _agreement(attribute, people[one], people[other], pairs, known=True)
    return tuple(found)


def _named(standing: Mapping[str, OfClip]) -> dict[str, str]:
    """A number for each person, in the order in which they began."""
    first: dict[str, str] = {}
    for of in standing.values():
        for by in of.values():
            for who, one in by.items():
                first[who] = min(one.at, first.get(who, one.at))
    return {who: f"reviewer {i}" for i, who in enumerate(sorted(first, key=lambda who: (first[who], who)), 1)}


def label(one: Judgement) -> Label:
    """What a judgement says of the clip."""
    if one.verdict == "correct":
        return "is", one.correction
    return ("is" if one.verdict == "accept" else "not"), one.value


def _with_run(
    attribute: str, person: str, judged: Mapping[str, Mapping[str, Judgement]], values: Values
) -> list[tuple[Label, Label]]:
    """What the run and a person say; a verdict on a value that the run no longer has says nothing of it."""
    pairs: list[tuple[Label, Label]] = []
    for clip, by in judged.items():
        if person not in by or attribute not in values.get(clip, {}):
            continue
        one, value = by[person], values[clip][attribute]
        if one.verdict == "correct" or one.value == value:
            pairs.append((("is", value), label(one)))
    return pairs


def _with_each_other(
    attribute: str, both: Sequence[tuple[Judgement, Judgement]]
) -> Iterator[tuple[Label, Label]]:
    for one, other in both:
        if ATTRIBUTES[attribute].choices:
            yield label(one), label(other)
        elif one.value == other.value:
            yield _verdict(one), _verdict(other)


def _verdict(one: Judgement) -> Label:
    return ("is" if one.verdict == "accept" else "not"), one.value


def _agreement(
    attribute: str, first: str, second: str, pairs: Sequence[tuple[Label, Label]], *, known: bool
) -> list[Agreement]:
    if not pairs:
        return []
    agreed = 100 * sum(a == b for a, b in pairs) / len(pairs)
    return [Agreement(attribute, first, second, len(pairs), agreed, kappa(pairs) if known else None)]


def kappa(pairs: Sequence[tuple[object, object]]) -> float | None:
    """Cohen's kappa of two that each named a class for every item; None where chance alone explains all."""
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    one, other = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(one[c] * other[c] for c in one) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)
