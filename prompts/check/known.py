"""What is known of a clip, made ready for the check of its captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from prompts.check import free
from prompts.check.faults import Language
from prompts.check.hearing import hear
from prompts.realiser.attributes import Attributes
from prompts.realiser.quoting import CHINESE_QUOTES, ENGLISH_QUOTES, as_topic, is_chinese, one_line


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a clip, made ready for its two captions."""

    values: Mapping[str, frozenset[str]]
    words: str
    topic: str
    stress: str
    mood: str
    listed: str = ""
    """The topic as a sentence has it: a list of words with "and"."""


@lru_cache(maxsize=4096)
def known_of(attributes: Attributes, language: Language) -> Known:
    """The known attributes and the values that are right for each; free text has none."""
    values: dict[str, frozenset[str]] = {}
    for name, value in (
        ("gender", attributes.gender),
        ("age", attributes.age_group),
        ("pitch", attributes.pitch_label),
        ("energy", attributes.energy_label),
        ("speed", attributes.speed_label),
        ("emotion", attributes.emotion if attributes.emotion != "other" else None),
    ):
        if value is not None:
            values[name] = frozenset({value})
    mood = one_line(attributes.emotion_caption)
    if any(c.isalnum() for c in mood) and is_chinese(mood) == (language == "zh"):
        mood = free.bare(mood)
        values["emotion"] = emotions_of(mood, language) | values.get("emotion", frozenset()) or frozenset("?")
    else:
        mood = ""
    stress, topic = free.bare(one_line(attributes.emphasis_word)), free.bare(one_line(attributes.topic))
    if any(c.isalnum() for c in stress):
        values["emphasis"] = frozenset()
    else:
        stress = ""
    if any(c.isalnum() for c in topic):
        values["topic"] = frozenset()
    else:
        topic = ""
    listed = as_topic(topic, language, CHINESE_QUOTES if language == "zh" else ENGLISH_QUOTES)
    return Known(values, (attributes.transcript or "").strip(), topic, stress, mood, listed)


def emotions_of(phrase: str, language: Language) -> frozenset[str]:
    """The classes of emotion that a free phrase names."""
    told = hear(phrase, language)[0]
    return frozenset(
        value
        for claim in told.claims
        if claim.polarity == "asserted"
        for attribute, values in claim.sense.readings
        if attribute == "emotion"
        for value in values
        if value != "!"
    )
