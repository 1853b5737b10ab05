"""The check of captions: what a caption tells, misses, contradicts or makes up; by lexicon, without a model.

for fault in check(captions, attributes, language="en"): print(fault)
"""

from __future__ import annotations

from prompts.check.caption import examine, mask, weigh
from prompts.check.faults import Fault, Kind, Language
from prompts.check.known import known_of
from prompts.check.lexicon import digest
from prompts.realiser.attributes import Attributes, Captions

__all__ = ["Fault", "Kind", "check", "conveyed", "digest"]


def check(
    captions: Captions, attributes: Attributes, *, language: Language, prompt: str = ""
) -> tuple[Fault, ...]:
    """The faults of both captions, the description's first; empty if they are sound.

    `prompt` is the fixed text of the prompt that asked for them: what repeats it is an echo.
    """
    known = known_of(attributes, language)
    faults = list(examine(captions.description, "description", known, language, prompt))
    if captions.instruction is not None:
        faults += examine(captions.instruction, "instruction", known, language, prompt)
    elif known.words:
        faults.append(Fault("transcript", "instruction", None, "is missing, though there are words to say."))
    return tuple(dict.fromkeys(faults))


def conveyed(text: str, attributes: Attributes, *, language: Language) -> tuple[str, ...]:
    """The known attributes that a caption tells, in the order in which they are first told."""
    known = known_of(attributes, language)
    verdict, _ = weigh(
        mask(text, known, "instruction" if known.words and known.words in text else "description"),
        known,
        language,
    )
    told = {name: at for name, at in verdict.conveyed.items() if name not in verdict.contradicted}
    return tuple(sorted(told, key=told.__getitem__))
