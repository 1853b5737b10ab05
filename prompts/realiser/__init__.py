"""The realiser: labels in, two fluent captions out, by a grammar over the lexicons; no model, no chance
but what the key gives.

    realise(Attributes(gender="female", pitch_label="high"), language="en", key="clip 1").description
"""

from __future__ import annotations

from typing import Literal

from prompts.realiser import chinese, english_plan
from prompts.realiser.attributes import CONVEYABLE, Attributes, Captions
from prompts.realiser.draw import Draw
from prompts.realiser.facts import foreign_of, values_of, worded
from prompts.realiser.lexicon import digest
from prompts.realiser.quoting import CHINESE_QUOTES, ENGLISH_QUOTES, quoted

__all__ = ["CONVEYABLE", "Attributes", "Captions", "digest", "realise"]

START, MIDDLE = 0.0555, 0.3305
"""Shares of instructions with their words at the beginning and in the middle; the others have them at
the end (SpeechCraft, section 4.3)."""


def realise(attributes: Attributes, *, language: Literal["en", "zh"], key: str, seed: int = 0) -> Captions:
    """The captions of one clip: the same for the same attributes, language, key (clip id) and seed."""
    grammar, quotes = (chinese, CHINESE_QUOTES) if language == "zh" else (english_plan, ENGLISH_QUOTES)
    values = worded(attributes, values_of(attributes, language), language)
    foreign = foreign_of(attributes, values, language, quotes)
    description, told = grammar.describe(Draw(seed, key, "description"), values, foreign)
    instruction = None
    transcript = attributes.transcript
    if transcript and not transcript.isspace():
        draw = Draw(seed, key, "instruction")
        quote = quoted(transcript, quotes)
        instruction = grammar.instruct(draw, values, foreign, quote, transcript, _place(draw))
    return Captions(description, instruction, told)


def _place(draw: Draw) -> str:
    if draw.chance(START):
        return "start"
    return "middle" if draw.chance(MIDDLE / (1 - START)) else "end"
