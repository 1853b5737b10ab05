"""From what a caption claims and what is known to its faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prompts.check.lexicon import Reading
from prompts.check.units import Claim, Told

POLES = {"pitch": ("high", "low"), "energy": ("high", "low"), "speed": ("fast", "slow")}
_OTHER_MOODS: dict[Reading, Reading] = {
    ("emotion", frozenset({mood})): ("emotion", frozenset(others.split()))
    for mood, others in (
        ("happy", "sad angry disgusted fearful"),
        ("sad", "happy"),
        ("neutral", "angry fearful surprised happy"),
        ("angry", "happy neutral"),
    )
}
"""What one may hint at who denies a mood: "nothing glad about her"."""
OPEN = frozenset({"age", "pitch", "energy", "speed", "emotion"})
"""What can be told in endlessly many ways."""
NAMES = {
    "gender": "gender",
    "age": "age",
    "pitch": "pitch",
    "energy": "loudness",
    "speed": "pace",
    "emotion": "emotion",
    "emphasis": "stressed word",
    "topic": "topic",
}
WHAT = {
    "body": "body language",
    "scene": "a scene",
    "mind": "a motive or a thought",
    "story": "a story",
    "voice": "a trait of the voice that is not known",
    "trait": "a trait of the speaker that is not known",
}


@dataclass(slots=True)
class Verdict:
    """Which attributes are told (and where first), contradicted, or made up."""

    conveyed: dict[str, int] = field(default_factory=dict)
    strange: tuple[str, ...] = ()
    contradicted: dict[str, str] = field(default_factory=dict)
    invented: list[str] = field(default_factory=list)

    @property
    def told(self) -> tuple[str, ...]:
        """The attributes that are conveyed and not contradicted, in the order in which they are told."""
        found = {name: at for name, at in self.conveyed.items() if name not in self.contradicted}
        return tuple(sorted(found, key=found.__getitem__))

    def tell(self, attribute: str, at: int) -> None:
        """Note that an attribute is conveyed at a place."""
        if at < self.conveyed.get(attribute, at + 1):
            self.conveyed[attribute] = at


def judge(told: Told, known: Mapping[str, frozenset[str]], opposites: Mapping[Reading, Reading]) -> Verdict:
    """The verdict on the claims; `known` has for each known attribute the values that are right."""
    verdict = Verdict(strange=tuple(told.strange))
    pending: list[Claim] = []
    denied: dict[str, set[str]] = {}
    vaguely: dict[str, set[str]] = {}
    extreme: dict[str, str] = {}
    vague = _vague_moods(told.claims, known)
    for claim in told.claims:
        if vague and claim in vague:
            continue
        if claim.polarity == "denied":
            _deny(claim, denied, vaguely)
        elif claim.polarity in ("litotes", "opposite"):
            _deny(claim, denied, vaguely)
            _opposite(claim, known, opposites, verdict)
            if claim.polarity == "opposite":
                extreme.update((name, claim.text) for name, _ in claim.sense.readings if name in POLES)
        elif not _supported(claim, known, verdict):
            pending.append(claim)
    _between(denied, vaguely, known, verdict)
    _by_denial(denied, known, verdict)
    _mentioned(told, known, verdict)
    for claim in pending:
        _fault(claim, known, verdict)
    for attribute, values in denied.items():
        right = known.get(attribute)
        if right and right <= values and attribute not in verdict.contradicted:
            poles = POLES.get(attribute)
            if (poles and right == frozenset({"normal"})) or (
                attribute == "gender" and "gender" in verdict.conveyed
            ):
                continue
            verdict.contradicted[attribute] = "it is denied"
    for attribute, text in extreme.items():
        if known.get(attribute) == frozenset({"normal"}) and attribute not in verdict.conveyed:
            verdict.contradicted.setdefault(attribute, f"anything but {text}")
    for attribute, values in vaguely.items():
        right = known.get(attribute)
        if right and right <= values and attribute not in verdict.conveyed:
            verdict.contradicted.setdefault(attribute, "it is denied")
    return verdict


def _vague_moods(claims: list[Claim], known: Mapping[str, frozenset[str]]) -> list[Claim]:
    """Moods that words may tell which tell something else for sure: "hushed" of one who is to speak low."""
    weak = [c for c in claims if c.sense.weak and c.sense.readings[0][0] == "emotion"]
    return [c for c in weak if any(other.at == c.at and _is_sure(other, known) for other in claims)]


def _is_sure(claim: Claim, known: Mapping[str, frozenset[str]]) -> bool:
    """True if a claim tells a value that is known, of one attribute that is no mood."""
    sense = claim.sense
    if claim.polarity != "asserted" or sense.weak or sense.only_contradicts or len(sense.readings) != 1:
        return False
    ((attribute, values),) = sense.readings
    return attribute != "emotion" and not values.isdisjoint(known.get(attribute, ()))


def _by_denial(denied: Mapping[str, set[str]], known: Mapping[str, frozenset[str]], verdict: Verdict) -> None:
    """Not loud is quiet, where that is known and nothing else is said."""
    for attribute, poles in POLES.items():
        right, values = known.get(attribute), denied.get(attribute)
        if right and values and len(values) == 1 and values.issubset(poles) and right == {*poles} - values:
            verdict.tell(attribute, 0)


def _mentioned(told: Told, known: Mapping[str, frozenset[str]], verdict: Verdict) -> None:
    """Gives the benefit of the doubt: a noun with words about it that the lexicon does not know tells."""
    for attribute, at in told.mentions.items():
        if attribute in verdict.conveyed or attribute not in known:
            continue
        if not any(name == attribute for claim in told.claims for name, _ in claim.sense.readings):
            verdict.tell(attribute, at)


def _supported(claim: Claim, known: Mapping[str, frozenset[str]], verdict: Verdict) -> bool:
    sense = claim.sense
    if sense.only_contradicts:
        return False
    found = False
    for attribute, values in sense.readings:
        right = known.get(attribute)
        if right and not right.isdisjoint(values):
            verdict.tell(attribute, claim.at)
            found = True
    return found


def _deny(claim: Claim, denied: dict[str, set[str]], vaguely: dict[str, set[str]]) -> None:
    if not claim.sense.only_contradicts:
        for name, told in claim.sense.readings:
            vaguely.setdefault(name, set()).update(told)
    if len(claim.sense.readings) != 1 or claim.sense.only_contradicts or claim.sense.weak:
        return
    ((attribute, values),) = claim.sense.readings
    if len(values) == 1 or attribute == "age":
        denied.setdefault(attribute, set()).update(values)


def _opposite(
    claim: Claim, known: Mapping[str, frozenset[str]], opposites: Mapping[Reading, Reading], verdict: Verdict
) -> None:
    for reading in claim.sense.readings:
        other = opposites.get(reading) or _OTHER_MOODS.get(reading)
        if other is None:
            continue
        right = known.get(other[0])
        if right and not right.isdisjoint(other[1]):
            verdict.tell(other[0], claim.at)
        elif (
            right is None and reading in opposites and len(claim.sense.readings) == 1 and not claim.sense.weak
        ):
            verdict.invented.append(claim.text)


def _between(
    denied: Mapping[str, set[str]],
    vaguely: Mapping[str, set[str]],
    known: Mapping[str, frozenset[str]],
    verdict: Verdict,
) -> None:
    for attribute, poles in POLES.items():
        right = known.get(attribute)
        if right == frozenset({"normal"}):
            if vaguely.get(attribute, set()) >= set(poles):
                verdict.tell(attribute, 0)
        elif right is None and denied.get(attribute, set()) >= set(poles):
            verdict.invented.append(f"neither {poles[0]} nor {poles[1]}")
    if len(denied.get("emotion", ())) > 1 and known.get("emotion") == frozenset({"neutral"}):
        verdict.tell("emotion", 0)


def _fault(claim: Claim, known: Mapping[str, frozenset[str]], verdict: Verdict) -> None:
    sense = claim.sense
    if sense.weak:
        return
    for attribute, values in sense.beside:
        right = known.get(attribute)
        if right and not right.isdisjoint(values):
            return
    contrary = [attribute for attribute, _ in sense.readings if known.get(attribute)]
    if sense.only_contradicts:
        contrary = [
            a for a in contrary if a not in verdict.conveyed and known[a].isdisjoint(dict(sense.readings)[a])
        ]
        if not contrary:
            return
    if not contrary:
        verdict.invented.append(claim.text)
        return
    unknown = len(contrary) < len(sense.readings)
    open_ones = [a for a in contrary if a not in verdict.conveyed]
    if unknown and not open_ones:
        verdict.invented.append(claim.text)
        return
    verdict.contradicted.setdefault((open_ones or contrary)[0], claim.text)


def reasons(
    verdict: Verdict, known: Mapping[str, frozenset[str]], exempt: bool
) -> Iterator[tuple[str, str | None, str]]:
    """Kind, attribute and reason of each fault; `exempt` captions (other languages) miss nothing.

    What is told in words that the lexicon does not know is not missed: nobody can say it is.
    """
    untold = [a for a in known if a in OPEN and a not in verdict.conveyed and a not in verdict.contradicted]
    understood = not untold or len(verdict.strange) < len(untold)
    for attribute, right in known.items():
        told = attribute in verdict.conveyed
        if told and attribute not in verdict.contradicted:
            continue
        value = " or ".join(sorted(right)) if right else "the one given"
        if attribute in verdict.contradicted:
            yield (
                "distortion",
                attribute,
                f"contradicts the {NAMES[attribute]}, which is {value}: {verdict.contradicted[attribute]}.",
            )
        elif not exempt and (understood or attribute not in OPEN):
            yield "omission", attribute, f"does not tell the {NAMES[attribute]}, which is {value}."
