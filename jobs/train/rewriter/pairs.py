"""A clip with its captions, as an example to learn from; and the gate that only sound ones pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from jobs.captions.captioned import Language
from jobs.train.rewriter.asked import Prompts
from prompts import check
from prompts.realiser import Attributes, Captions
from prompts.realiser.facts import values_of
from prompts.rewriter import AnswerError, Prompt

Made = Literal["found", "paraphrased", "translated", "synonyms"]
LABELS = ("gender", "age_group", "pitch_label", "energy_label", "speed_label", "emotion")


@dataclass(frozen=True, slots=True)
class Pair:
    """`origin`: where the captions come from (run, examples, prompt); `made`: what was done to them since."""

    id: str
    language: Language
    attributes: Attributes
    captions: Captions
    origin: str
    made: Made = "found"

    @property
    def combination(self) -> tuple[str | None, ...]:
        """Its labels: what a clip has in common with others."""
        return tuple(getattr(self.attributes, name) for name in LABELS)


class Gate:
    """Lets sound pairs through and counts the others by what is wrong with them.

    A pair with faults of two kinds counts under both. `untellable`: nothing is known of the clip, or its
    answer would not read back as its captions.
    """

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        self.seen = self.passed = 0
        self.rejected: Counter[str] = Counter()

    def passes(self, pair: Pair) -> Pair | None:
        """The pair, with what it conveys as the check reads it; None if it is not sound."""
        self.seen += 1
        prompt = self._prompts.full(pair.language)
        told = "" if pair.origin == "prompt" else prompt.fixed  # its own examples repeat themselves
        faults = check.check(pair.captions, pair.attributes, language=pair.language, prompt=told)
        if faults:
            self.rejected.update({fault.kind for fault in faults})
            return None
        if not _answerable(prompt, pair):
            self.rejected["untellable"] += 1
            return None
        self.passed += 1
        conveyed = check.conveyed(pair.captions.description, pair.attributes, language=pair.language)
        return replace(pair, captions=replace(pair.captions, conveyed=conveyed))

    def all_of(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The sound ones among them."""
        return [passed for pair in pairs if (passed := self.passes(pair)) is not None]


def _answerable(prompt: Prompt, pair: Pair) -> bool:
    """Whether the answer a model is to give reads back as these captions, with the mark for the words.

    A copy of the words instead of their mark cannot be learnt: a long transcript is not shown whole.
    """
    words = (pair.attributes.transcript or "").strip()
    if not values_of(pair.attributes, pair.language):
        return False
    answer = prompt.answer(pair.captions, pair.attributes)
    if words and prompt.file.mark not in answer:
        return False
    try:
        read = prompt.read(answer, pair.attributes)
    except AnswerError:
        return False
    return (read.description, read.instruction) == (pair.captions.description, pair.captions.instruction)
