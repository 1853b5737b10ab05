"""The figures of a corpus of captions, for people and machines alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from jobs.captions.captioned import Captioned
from jobs.captions.diversity import Diversity, diversity
from jobs.captions.tally import WHICH, Tally
from prompts.realiser import CONVEYABLE

PLACES = ("start", "middle", "end", "nowhere")
UNITS = {"en": "words", "zh": "characters"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """Of one attribute: in how many captions it was to be told, is missing, is contradicted."""

    name: str
    told: int
    omission: int
    distortion: int


@dataclass(frozen=True, slots=True)
class Length:
    """Of texts without the words of the clip, in `unit`."""

    texts: int
    unit: str
    least: int
    p5: int
    median: int
    mean: float
    p95: int
    most: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one language. A caption is a description or an instruction; counts of `kinds` are of captions
    with at least one such fault, those of `clips_with` of clips."""

    clips: int
    captions: int
    kinds: dict[str, int]
    clips_with: dict[str, int]
    attributes: tuple[Attribute, ...]
    sources: dict[str, int]
    attempts: dict[int, int]
    places: dict[str, int]
    lengths: dict[str, Length]
    diversity: dict[str, Diversity]

    def share(self, kind: str) -> float:
        """Captions with a fault of that kind, 0..1."""
        return self.kinds.get(kind, 0) / self.captions if self.captions else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Of a corpus: `without` counts clips that have no caption."""

    clips: int
    without: int
    languages: dict[str, Figures]

    def record(self) -> dict[str, Any]:
        """As JSON has it, with the rates beside the counts."""
        facts = asdict(self)
        for language, figures in self.languages.items():
            kinds = sorted({"omission", "distortion", *figures.kinds})
            facts["languages"][language]["rates"] = {kind: round(figures.share(kind), 6) for kind in kinds}
        return facts


class Reporter:
    """Reads captions one at a time and lets them go."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._tallies: dict[str, Tally] = {}
        self._clips = self._without = 0

    def add(self, one: Captioned | None) -> None:
        """Count a clip; None has no caption."""
        self._clips += 1
        if one is None:
            self._without += 1
        else:
            self._tallies.setdefault(one.language, Tally(self._seed)).add(one, one.faults())

    @property
    def lengths(self) -> dict[str, dict[str, Counter[int]]]:
        """How many texts have how many words, by language and kind of caption."""
        return {language: self._tallies[language].lengths for language in sorted(self._tallies)}

    def report(self) -> Report:
        """The figures so far."""
        found = {language: _figures(self._tallies[language], language) for language in sorted(self._tallies)}
        return Report(self._clips, self._without, found)


def _figures(tally: Tally, language: str) -> Figures:
    missing, wrong = tally.attributes["omission"], tally.attributes["distortion"]
    return Figures(
        clips=tally.clips,
        captions=tally.captions,
        kinds=_counts(tally.kinds),
        clips_with=_counts(tally.clips_with),
        attributes=tuple(
            Attribute(name, tally.told[name], missing[name], wrong[name])
            for name in CONVEYABLE
            if tally.told[name] or missing[name] or wrong[name]
        ),
        sources=_counts(tally.sources),
        attempts=dict(sorted(tally.attempts.items())),
        places={place: tally.places[place] for place in PLACES if tally.places[place]},
        lengths={w: _length(tally.lengths[w], UNITS[language]) for w in WHICH if tally.lengths[w]},
        diversity={w: diversity(tally.samples[w], language) for w in WHICH if tally.samples[w].seen},
    )


def _counts(counts: Counter[str]) -> dict[str, int]:
    """The most frequent first; equals by name."""
    return dict(sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])))


def _length(counts: Counter[int], unit: str) -> Length:
    total = counts.total()
    ordered = sorted(counts)

    def at(share: float) -> int:
        """The smallest length that a share of the texts does not exceed."""
        seen = 0
        for length in ordered:
            seen += counts[length]
            if seen >= share * total:
                return length
        return ordered[-1]

    mean = sum(length * n for length, n in counts.items()) / total
    return Length(total, unit, ordered[0], at(0.05), at(0.5), round(mean, 2), at(0.95), ordered[-1])
