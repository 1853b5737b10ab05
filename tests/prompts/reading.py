"""A reader of captions that knows the lexicons' phrases but not the grammar: what does a caption tell?"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product
from typing import Any, Literal, get_args

from pipeline.rows import AgeGroup, Gender, Level3, Pace3
from prompts.realiser.attributes import Attributes
from prompts.realiser.chinese_lexicon import chinese
from prompts.realiser.english_lexicon import english

Lang = Literal["en", "zh"]
WORD = {"en": "harbour", "zh": "港口"}
TOPICS = {"en": {"phrase": "wooden ships", "word": "brother"}, "zh": {"phrase": "古代的旧船", "word": "兄弟"}}
"""One that an English sentence takes as it is, and one that it does not."""
FOREIGN = {"en": ('"harbour"', "wooden ships", '"brother"'), "zh": ("“港口”", "古代的旧船", "兄弟")}
"""The word stressed and the topics as they stand in a caption."""
TEXT = {"en": "we sailed from the harbour at dawn", "zh": "天亮时我们从港口出发"}
VALUES: dict[str, tuple[Any, ...]] = {
    "gender": (*get_args(Gender), None),
    "age_group": (*get_args(AgeGroup), None),
    "pitch_label": (*get_args(Level3), None),
    "energy_label": (*get_args(Level3), None),
    "speed_label": (*get_args(Pace3), None),
    "emotion": ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised", None),
    "emphasis_word": (True, None),
    "topic": ("phrase", "word", None),
}
NAMES = dict(
    zip(VALUES, ("gender", "age", "pitch", "energy", "speed", "emotion", "emphasis", "topic"), strict=True)
)


def pairwise_rows(seed: int = 0) -> list[tuple[Any, ...]]:
    """Combinations of values in which every two values of every two attributes meet."""
    chance = random.Random(seed)
    fields = list(VALUES.values())
    wanted = {
        (i, a, j, b) for i, j in combinations(range(len(fields)), 2) for a, b in product(fields[i], fields[j])
    }
    rows = []
    while wanted:
        row = tuple(chance.choice(values) for values in fields)
        met = {(i, row[i], j, row[j]) for i, j in combinations(range(len(fields)), 2)} & wanted
        if met:
            rows.append(row)
            wanted -= met
    return rows


def attributes_of(row: Sequence[Any], language: Lang) -> Attributes:
    values = dict(zip(VALUES, row, strict=True))
    values["emphasis_word"] = values["emphasis_word"] and WORD[language]
    values["topic"] = values["topic"] and TOPICS[language][values["topic"]]
    return Attributes(**values, transcript=TEXT[language])


def expected(row: Sequence[Any]) -> dict[str, str]:
    return {
        NAMES[name]: "x" if name in ("emphasis_word", "topic") else value
        for name, value in zip(VALUES, row, strict=True)
        if value is not None
    }


def phrases(language: Lang) -> Iterator[tuple[str, str, str]]:
    """Every phrase of the lexicon with the attribute and value it stands for; heads stand for `who`."""
    lexicon = english() if language == "en" else chinese()
    for attribute, tables in lexicon.attributes.items():
        for value, table in tables.items():
            for role_phrases in table.values():
                for phrase in role_phrases:
                    for form in phrase.forms:
                        yield form, attribute, "x" if attribute == "topic" else value
    for sex, stages in lexicon.heads.items():
        for stage, heads in stages.items():
            for head in heads:
                text = head.phrase.forms[0] if language == "en" else head.noun.forms[0]  # type: ignore[union-attr]
                yield text, "who", f"{sex}/{stage}"


@cache
def _tree(language: Lang) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for text, attribute, value in phrases(language):
        node = root
        for token in _tokens(text, language):
            node = node.setdefault(token, {})
        node.setdefault("", set()).add((attribute, value))
    return root


def _tokens(text: str, language: Lang) -> list[str]:
    pattern = r"\{x\}|[a-z'-]+|[,;]" if language == "en" else r"\{x\}|."
    return re.findall(pattern, text.lower())


def read(caption: str, language: Lang) -> list[tuple[str, str]]:
    """What the caption tells, in order: the longest phrase of the lexicon at each place."""
    for foreign in (f'"{TEXT[language]}"', f"“{TEXT[language]}”"):
        caption = caption.replace(foreign, "…")
    for foreign in FOREIGN[language]:
        caption = caption.replace(foreign, "{x}")
    tokens = _tokens(caption.replace("'s voice", " voice"), language)
    told: list[tuple[str, str]] = []
    at = 0
    while at < len(tokens):
        end, found = _longest(tokens, at, language)
        if found and not _ends_in_a_head(tokens, at, end, language):
            (meaning,) = found
            told.append(meaning)
            at = end
        else:
            at += 1
    return told


def _longest(tokens: list[str], at: int, language: Lang) -> tuple[int, set[tuple[str, str]]]:
    """The end of the longest phrase that begins there, and what it means."""
    node, end, found = _tree(language), at, set[tuple[str, str]]()
    for n, token in enumerate(tokens[at:], at + 1):
        if token not in node:
            break
        node = node[token]
        if "" in node:
            end, found = n, node[""]
    return end, found


def _ends_in_a_head(tokens: list[str], at: int, end: int, language: Lang) -> bool:
    """Whether who speaks begins in a phrase and ends behind it: "the speaker is [a young adult man]"."""
    longer = (_longest(tokens, k, language) for k in range(at + 1, end))
    return any(stop > end and any(name == "who" for name, _ in found) for stop, found in longer)


def labels(told: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Attribute to every value told of it; the head of the noun phrase told apart into gender and age."""
    found: dict[str, list[str]] = {}
    for attribute, value in told:
        if attribute == "who":
            sex, stage = value.split("/")
            if sex != "unknown":
                found.setdefault("gender", []).append(sex)
            if stage != "unknown":
                found.setdefault("age", []).append(stage)
        else:
            found.setdefault(attribute, []).append(value)
    return found
