"""Which attributes are to be told, and by which value of the lexicon."""

from __future__ import annotations

from collections.abc import Sequence

from prompts.realiser.attributes import Attributes
from prompts.realiser.quoting import as_topic, bare_word, is_chinese, lacks_article, one_line, quoted

FREE = "x"
"""The value of attributes that are text of their own: the word stressed, the topic."""
WORD = "word"
"""The value of a topic that is named rather than put into the sentence: "brother", not "about brother"."""
CAPTION = "caption"
"""The value of an emotion that is told in a free phrase."""
GROWN = frozenset({"young adult", "middle-aged", "elderly"})
"""Ages that can be told apart from sex; a child or teenager is named as one at once."""


def person_first(order: Sequence[str]) -> list[str]:
    """What is told of the speaker before what is told of the voice."""
    return sorted(order, key=lambda name: name not in ("gender", "age"))


def values_of(attributes: Attributes, language: str) -> dict[str, str]:
    """Attribute to value, without what is unknown; an emotion that is `other` says nothing."""
    emotion: str | None = attributes.emotion if attributes.emotion != "other" else None
    phrase = one_line(attributes.emotion_caption)
    if any(c.isalnum() for c in phrase) and is_chinese(phrase) == (language == "zh"):
        emotion = CAPTION
    values = {
        "gender": attributes.gender,
        "age": attributes.age_group,
        "pitch": attributes.pitch_label,
        "energy": attributes.energy_label,
        "speed": attributes.speed_label,
        "emotion": emotion,
        "emphasis": FREE if bare_word(attributes.emphasis_word) else None,
        "topic": FREE if bare_word(attributes.topic) else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def worded(attributes: Attributes, values: dict[str, str], language: str) -> dict[str, str]:
    """The values as the lexicon has phrases for them: of topics there are two kinds in English."""
    named = language == "en" and "topic" in values and lacks_article(attributes.topic)
    return values | {"topic": WORD} if named else values


def foreign_of(
    attributes: Attributes, values: dict[str, str], language: str, quotes: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """The text for the `{x}` of each attribute that has one, quoted where it must be."""
    foreign: dict[str, str] = {}
    if "emphasis" in values:
        foreign["emphasis"] = quoted(bare_word(attributes.emphasis_word), quotes)
    if "topic" in values:
        topic = as_topic(attributes.topic, language, quotes)
        foreign["topic"] = quoted(topic, quotes) if values["topic"] == WORD else topic
    if values.get("emotion") == CAPTION:
        foreign["emotion"] = quoted(one_line(attributes.emotion_caption).strip("。.，, "), quotes)
    return foreign
