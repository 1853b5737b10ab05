"""The check of captions: what a caption tells, misses, contradicts or makes up; by lexicon, without a model.

for fault in check(captions, attributes, language="en"): print(fault)
"""

from __future__ import annotations

from prompts.check.caption import examine, mask, weigh
from prompts.check.faults import Fault, Kind, Language, Which
from prompts.check.known import known_of
from prompts.check.lexicon import digest
from prompts.realiser.attributes import Attributes, Captions

__all__ = ["Fault", "Kind", "check", "conveyed", "digest", "judged"]


def check(
    captions: Captions, attributes: Attributes, *, language: Language, prompt: str = ""
) -> tuple[Fault, ...]:
    """The faults of both captions, the description's first; empty if they are sound.

    `prompt` is the fixed text of the prompt that asked for them: what repeats it is an echo.
    """
    return judged(captions, attributes, language=language, prompt=prompt)[0]


def judged(
    captions: Captions, attributes: Attributes, *, language: Language, prompt: str = ""
) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    """The faults, as `check` has them, and what the description tells, as `conveyed` has it, read once."""
    known = known_of(attributes, language)
    faults, verdict = examine(captions.description, "description", known, language, prompt)
    if captions.instruction is not None:
        faults += examine(captions.instruction, "instruction", known, language, prompt)[0]
    elif known.words:
        faults.append(Fault("transcript", "instruction", None, "is missing, though there are words to say."))
    return tuple(dict.fromkeys(faults)), verdict.told


def conveyed(text: str, attributes: Attributes, *, language: Language) -> tuple[str, ...]:
    """The known attributes that a caption tells, in the order in which they are first told."""
    known = known_of(attributes, language)
    which: Which = "instruction" if known.words and known.words in text else "description"
    return weigh(mask(text, known, which), known, language)[0].told
