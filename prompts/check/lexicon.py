"""The checker's lexicons: YAML that a linguist edits, compiled once into a trie of words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from prompts.realiser.lexicon import digest as realiser_digest
from prompts.stopwords import stopwords

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FOLDER = Path(__file__).parent / "lexicons"
_ARTICLE = re.compile(r"\b(?:an?|the) ")
MEASURED = frozenset({"pitch", "energy", "speed"})
WHO = frozenset({"gender", "age"})
END = ""
"""The key of a trie node under which the entry of the phrase that ends there stands."""
Reading = tuple[str, frozenset[str]]
"""An attribute and the values any of which will do."""
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing a phrase tells.

    `readings`: any will do. `beside`: values that it does not contradict. `weak`: may convey, is never a
    fault. `only_contradicts`: conveys nothing, and is a fault only beside another value that is known.
    """

    readings: tuple[Reading, ...]
    beside: tuple[Reading, ...] = ()
    weak: bool = False
    only_contradicts: bool = False


@dataclass(slots=True)
class Entry:
    """Everything a phrase can be: its senses, and its parts in the grammar.

    `excused`: values beside any of which it makes nothing up.
    """

    text: str = ""
    senses: tuple[Sense, ...] = ()
    carrier: str | None = None
    level: str | None = None
    negation: str | None = None
    stops: bool = False
    invention: str | None = None
    simile: bool = False
    plain: bool = False
    marks: frozenset[str] = frozenset()
    excused: tuple[Reading, ...] = ()

    def tells(self, attributes: frozenset[str]) -> bool:
        """True if the first thing that one of its senses tells is one of these."""
        return any(s.readings and s.readings[0][0] in attributes for s in self.senses)


@dataclass(slots=True)
class Lexicon:
    """The compiled lexicon of one language."""

    trie: Node
    cues: Node
    drop: frozenset[str]
    together: Mapping[str, tuple[Sense, ...]]
    opposites: Mapping[Reading, Reading]
    source: Mapping[str, Any] = field(default_factory=dict)


def phrases(text: str) -> Iterator[str]:
    """The phrases of a comma-separated list."""
    for phrase in text.replace("\n", " ").split(","):
        if phrase := " ".join(phrase.split()):
            yield phrase


def sense_of(key: str) -> Sense:
    """`?pitch=low energy=low ~ emotion=sad`: readings, and values beside which it is no fault."""
    told, _, beside = key.partition("~")
    weak, only = told.startswith("?"), told.startswith("!")
    return Sense(_readings(told.lstrip("?!")), _readings(beside), weak, only)


def _readings(text: str) -> tuple[Reading, ...]:
    parts = [part.strip() for part in text.replace(", ", ",").split("=")]
    if len(parts) == 1:
        return ()
    found: list[Reading] = []
    name = parts[0]
    for i, part in enumerate(parts[1:], 2):
        values, following = part, ""
        if i < len(parts):
            values, _, following = part.rpartition(" ")
        found.append((name, frozenset(values.split(","))))
        name = following
    return tuple(found)


@cache
def source(language: str) -> Mapping[str, Any]:
    """The lexicon of a language as it stands in its files: `en.yaml` and what `en.*.yaml` add to it."""
    whole: dict[str, Any] = {}
    for file in (FOLDER / f"{language}.yaml", *sorted(FOLDER.glob(f"{language}.*.yaml"))):
        _add(whole, yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader))
    return whole


def _add(whole: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict):
            _add(whole.setdefault(key, {}), value)
        elif isinstance(value, str):
            whole[key] = f"{whole[key]}, {spelt_out(value)}" if key in whole else spelt_out(value)
        else:
            whole[key] = value


def spelt_out(text: str) -> str:
    """`(go|run) like (lightning|a shot)` as the comma-separated phrases it stands for."""
    if "(" not in text:
        return text
    return ", ".join(whole for phrase in phrases(text) for whole in _spelt(phrase))


def _spelt(phrase: str) -> list[str]:
    before, found, rest = phrase.partition("(")
    if not found:
        return [phrase]
    choices, _, after = rest.partition(")")
    return [f"{before}{choice}{end}" for end in _spelt(after) for choice in choices.split("|")]


_SIMILES = ("like ", "as if ", "as though ")
"""With these a phrase begins that is a comparison as a whole."""
Splitter = Callable[[str], list[str]]


def compile_lexicon(raw: Mapping[str, Any], split: Splitter, drop: frozenset[str]) -> Lexicon:
    """The trie of all but the cues of stress and topic, which may overlap the rest and have their own."""
    trie: Node = {}
    cues: Node = {}

    def entry(root: Node, phrase: str) -> Entry:
        node = root
        words = split(phrase)
        if _too_little(words, phrase):
            return Entry(phrase)
        for word in words:
            node = node.setdefault(word, {})
        return node.setdefault(END, Entry(phrase, simile=phrase.startswith(_SIMILES)))  # type: ignore[no-any-return]

    together = {key: _senses(text) for key, text in raw["together"].items()}
    pairs = _pairs(raw, together)
    for key, text in raw["tells"].items():
        sense = sense_of(key)
        for phrase in phrases(text):
            if sense in pairs.get(phrase, ()):
                continue
            found = entry(trie, phrase)
            if sense not in found.senses:
                found.senses += (sense,)
    for carrier, text in raw["carriers"].items():
        for phrase in phrases(text):
            entry(trie, phrase).carrier = carrier
    for level, text in raw["levels"].items():
        for phrase in phrases(text):
            entry(trie, phrase).level = level
    for kind, text in raw["negation"].items():
        for phrase in phrases(text):
            found = entry(trie, phrase)
            if kind == "stops":
                found.stops = True
            else:
                found.negation = kind
    for kind, text in raw["inventions"].items():
        for phrase in phrases(text):
            found = entry(trie, phrase)
            if kind == "simile":
                found.simile = True
            elif kind == "idiom":
                found.plain = True
            else:
                found.invention = kind
                for form in _aspects(phrase):
                    entry(trie, form).invention = kind
    for key, text in raw.get("excused", {}).items():
        for phrase in phrases(text):
            entry(trie, phrase).excused += _readings(key)
    for phrase in phrases(raw.get("plain", "")):
        entry(trie, phrase).plain = True
    for mark in ("stress", "not_stress", "strong_stress", "about", "no_cue"):
        for phrase in phrases(raw[mark]):
            found = entry(cues, phrase)
            found.marks |= {mark}
    trie.pop(END, None)
    cues.pop(END, None)
    opposites: dict[Reading, Reading] = {}
    for pair in phrases(raw["opposites"]):
        (one,), (other,) = (_readings(half) for half in pair.split("/"))
        opposites[one], opposites[other] = other, one
    return Lexicon(trie, cues, drop, together, opposites, raw)


def _pairs(raw: Mapping[str, Any], together: Mapping[str, tuple[Sense, ...]]) -> dict[str, tuple[Sense, ...]]:
    """What a level and a noun tell together in English; a phrase of its own would not reach further nouns."""
    return {
        f"{level} {noun}": together[f"{key} {carrier}"]
        for key, levels in raw["levels"].items()
        for carrier, nouns in raw["carriers"].items()
        if f"{key} {carrier}" in together and carrier in MEASURED
        for level in phrases(levels)
        if level.isascii() and " " not in level
        for noun in phrases(nouns)
    }


def _too_little(words: list[str], phrase: str) -> bool:
    """True if nothing but one word, or words of grammar, is left of a phrase."""
    if not phrase.isascii():
        return False
    spelt = _ARTICLE.sub("", phrase).split()
    if words[-1:] == ["might"]:  # a noun: "with all their might"
        return False
    return len(words) < len(spelt) and (len(words) == 1 or stopwords("en").issuperset(words))


def _aspects(phrase: str) -> tuple[str, ...]:
    """A Chinese verb and object with its particles: 跺脚, 跺着脚, 跺了跺脚."""
    if len(phrase) != 2 or phrase.isascii():
        return ()
    verb, noun = phrase[0], phrase[1]
    return tuple(f"{verb}{particle}{noun}" for particle in ("着", "了", "起", f"了{verb}", "一", "紧"))


def _senses(text: str) -> tuple[Sense, ...]:
    return tuple(sense_of(part.strip()) for part in text.split(" & "))


def add_heads(trie: Node) -> None:
    """Makes a phrase with a word in it that tells a gender tell it too: "young woman"."""
    _heads(trie, (), {word: told for word, node in trie.items() if (told := _genders(node.get(END)))}, 0)


def _heads(
    node: Node, told: tuple[Sense, ...], gendered: Mapping[str, tuple[Sense, ...]], depth: int
) -> None:
    for word, below in node.items():
        if word != END:
            _heads(below, told + gendered.get(word, ()), gendered, depth + 1)
        elif told and depth > 1 and not (below.invention or below.plain or below.negation):
            below.senses += tuple(s for s in dict.fromkeys(told) if s not in below.senses)


def _genders(entry: Entry | None) -> tuple[Sense, ...]:
    senses = entry.senses if entry else ()
    return tuple(s for s in senses if s.readings and s.readings[0][0] == "gender" and not s.weak)


@cache
def digest() -> str:
    """Changes when a word of the lexicons or a rule of the check does."""
    files = sorted(FOLDER.glob("*.yaml")) + sorted(Path(__file__).parent.glob("*.py"))
    text = b"\0".join(f.name.encode() + b"\0" + f.read_bytes().replace(b"\r\n", b"\n") for f in files)
    return hashlib.sha256(text + realiser_digest().encode()).hexdigest()
