"""The same captions with other expressions of the lexicons: each phrase by another that tells the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from jobs.train.rewriter.pairs import Pair
from prompts.realiser import Captions
from prompts.realiser.chinese_lexicon import chinese
from prompts.realiser.draw import Draw
from prompts.realiser.english_lexicon import english
from prompts.realiser.facts import values_of

_SHORTEST = {"en": 3, "zh": 2}
"""Characters of a phrase that is looked for: a single Chinese character is part of other words."""
_VOWEL = re.compile(r"[aeio]|u(?!ni|s[ue])", re.IGNORECASE)

Choices = tuple[tuple[str, tuple[str, ...]], ...]


def substituted(pair: Pair, *, seed: int, number: int) -> Pair | None:
    """The pair with every expression that the lexicon knows exchanged; None where it knows none.

    The words a clip says, its topic, and anything else of its own are not touched. Whether the captions
    still tell the same is for the check to say.
    """
    draw = Draw(seed, pair.id, pair.made, pair.language, f"synonyms {number}")
    description = _exchanged(pair.captions.description, pair, draw)
    instruction = pair.captions.instruction
    if instruction is not None:
        said = (pair.attributes.transcript or "").strip()
        before, found, after = instruction.partition(said) if said else (instruction, "", "")
        instruction = _exchanged(before, pair, draw) + found + _exchanged(after, pair, draw)
    captions = Captions(description, instruction, ())
    same = (description, instruction) == (pair.captions.description, pair.captions.instruction)
    return None if same else replace(pair, captions=captions, made="synonyms")


def _exchanged(text: str, pair: Pair, draw: Draw) -> str:
    values = values_of(pair.attributes, pair.language)
    known = pair.attributes
    kept = [own for own in (known.topic, known.emphasis_word, known.emotion_caption) if own]
    sex, stage = known.gender or "unknown", known.age_group or "unknown"
    tables = [choices(pair.language, name, value) for name, value in values.items()]
    for phrases in (*tables, _heads(pair.language, sex, stage)):
        text = _exchange(text, phrases, kept, pair.language, draw)
    return text


def _exchange(text: str, phrases: Choices, kept: Sequence[str], language: str, draw: Draw) -> str:
    """The text with the longest of the phrases in it exchanged."""
    lower = text.lower()
    if len(lower) != len(text):
        return text
    for phrase, others in phrases:
        at = lower.find(phrase)
        if at < 0 or not _whole(text, at, at + len(phrase), language):
            continue
        if any(phrase in own.lower() for own in kept):
            continue
        other = draw.one(others)
        if text[at].isupper():
            other = other[:1].upper() + other[1:]
        return _agreeing(text[:at], other) + text[at + len(phrase) :]
    return text


def _whole(text: str, begin: int, end: int, language: str) -> bool:
    """Whether no word begins before or ends behind the place."""
    if language == "zh":
        return True
    beside = text[max(0, begin - 1) : begin] + text[end : end + 1]
    return not any(c.isalnum() or c in "-'’" for c in beside)


def _agreeing(before: str, other: str) -> str:
    """Both, with the article before them by its sound."""
    found = re.search(r"\b([Aa])n? $", before)
    if found:
        before = before[: found.start()] + found[1] + ("n " if _VOWEL.match(other) else " ")
    return before + other


@cache
def choices(language: str, name: str, value: str) -> Choices:
    """Phrases that tell a value, each with those that fit where it stands; the longest first."""
    lexicon = english().attributes if language == "en" else chinese().attributes
    sets = []
    for phrases in lexicon.get(name, {}).get(value, {}).values():
        forms = {tuple(dict.fromkeys(phrase.forms)) for phrase in phrases if "{" not in phrase.forms[0]}
        for size in {len(form) for form in forms}:
            same = [form for form in forms if len(form) == size]
            sets += [[form[person] for form in same] for person in range(size)]
    return _sorted(sets, language)


@cache
def _heads(language: str, sex: str, stage: str) -> Choices:
    """Who speaks, by sex and age."""
    if language == "en":
        heads = english().heads.get(sex, {}).get(stage, ())
        return _sorted([[head.phrase.forms[0] for head in heads]], language)
    people = chinese().heads.get(sex, {}).get(stage, ())
    return _sorted([[head.noun.forms[0] for head in people]], language)


def _sorted(sets: Sequence[Sequence[str]], language: str) -> Choices:
    found: dict[str, set[str]] = {}
    for one in sets:
        for phrase in one:
            if len(phrase) >= _SHORTEST[language]:
                found.setdefault(phrase.lower(), set()).update(other for other in one if other != phrase)
    ordered = sorted(found.items(), key=lambda kv: (-len(kv[0]), kv[0]))
    return tuple((phrase, tuple(sorted(others))) for phrase, others in ordered if others)


def variants(pair: Pair, n: int, seed: int) -> Iterator[Pair]:
    """At most `n` different pairs with other expressions."""
    seen = {(pair.captions.description, pair.captions.instruction)}
    for number in range(n):
        found = substituted(pair, seed=seed, number=number)
        if found and (key := (found.captions.description, found.captions.instruction)) not in seen:
            seen.add(key)
            yield found
