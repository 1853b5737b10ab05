"""What is counted of the captions of one language, one clip at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from jobs.captions.captioned import Captioned
from jobs.captions.diversity import SAMPLE
from jobs.captions.sample import Sample
from pipeline.text import words
from prompts.check import Fault
from prompts.realiser.facts import values_of
from prompts.realiser.quoting import is_chinese
from prompts.rewriter.words import place_of

WHICH = ("description", "instruction")


class Tally:
    """Counts; memory grows with the number of different lengths and sources, not of clips."""

    def __init__(self, seed: int = 0) -> None:
        self.clips = 0
        self.clips_with: Counter[str] = Counter()
        self.captions = 0
        self.kinds: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.attributes: dict[str, Counter[str]] = {"omission": Counter(), "distortion": Counter()}
        self.sources: Counter[str] = Counter()
        self.attempts: Counter[int] = Counter()
        self.places: Counter[str] = Counter()
        self.lengths: dict[str, Counter[int]] = {which: Counter() for which in WHICH}
        self.samples: dict[str, Sample[str]] = {which: Sample(SAMPLE, seed) for which in WHICH}

    def add(self, one: Captioned, faults: Sequence[Fault]) -> None:
        """Count a clip."""
        self.clips += 1
        self.sources[one.source] += 1
        self.attempts[one.attempts] += 1
        self._faults(one, faults)
        self._text(one.id, "description", one.captions.description, one)
        if one.captions.instruction:
            said = (one.attributes.transcript or "").strip()
            self.places[place_of(one.captions.instruction, said) or "nowhere"] += 1
            self._text(one.id, "instruction", one.captions.instruction.replace(said, " ", 1), one)

    def _faults(self, one: Captioned, faults: Sequence[Fault]) -> None:
        wanted = 2 if (one.attributes.transcript or "").strip() else 1
        self.captions += wanted
        for name in values_of(one.attributes, one.language):
            self.told[name] += wanted
        self.kinds.update(kind for _, kind in {(f.caption, f.kind) for f in faults})
        self.clips_with.update({f.kind for f in faults})
        for _, fault, attribute in {(f.caption, f.kind, f.attribute) for f in faults}:
            if attribute is not None and fault in self.attributes:
                self.attributes[fault][attribute] += 1

    def _text(self, id: str, which: str, text: str, one: Captioned) -> None:
        self.lengths[which][len(words(text))] += 1
        self.samples[which].add(id, own_words(text, one))


def own_words(text: str, one: Captioned) -> str:
    """The text without what it repeats of the clip: its topic, the word stressed, the phrase of emotion.

    Two captions that differ in nothing else say the same.
    """
    known = one.attributes
    for foreign in (known.topic, known.emotion_caption, known.emphasis_word):
        if foreign and foreign.strip():
            text = _without(text, foreign.strip())
    return text


def _without(text: str, foreign: str) -> str:
    if is_chinese(foreign):
        return text.replace(foreign, " ")
    pieces = f" {text} ".split(foreign)
    kept = pieces[0]
    for before, after in pairwise(pieces):
        whole = not (before[-1:].isalnum() or after[:1].isalnum())
        kept += (" " if whole else foreign) + after
    return kept.strip()
