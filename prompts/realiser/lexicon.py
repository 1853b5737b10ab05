"""Lexicons: YAML that a linguist edits, compiled once into phrases."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import UsageError
from prompts.realiser.draw import Phrase

FOLDER = Path(__file__).parent.parent / "lexicons"
Table = Mapping[str, tuple[Phrase, ...]]
"""Phrases by role."""
_SLOT = re.compile(r"\{(\w+)\}")


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key stands once: PyYAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise UsageError(f"The lexicon has {key!r} twice{node.start_mark}.")
        return super().construct_mapping(node, deep)


@cache
def load(language: str) -> Mapping[str, Any]:
    """The lexicon of a language as it stands in its file."""
    text = (FOLDER / f"{language}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, _UniqueKeys)  # type: ignore[no-any-return]


@cache
def digest() -> str:
    """Changes when a word of a lexicon or a rule of the grammar does."""
    files = sorted(FOLDER.glob("*.yaml")) + sorted(Path(__file__).parent.glob("*.py"))
    text = b"\0".join(f.name.encode() + b"\0" + f.read_bytes().replace(b"\r\n", b"\n") for f in files)
    return hashlib.sha256(text).hexdigest()


def expand(pattern: str, words: Mapping[str, list[str]], marks: frozenset[str]) -> Iterator[str]:
    """The pattern with every choice of words; nothing where a list is missing. `marks` are left standing."""
    names = [n for n in dict.fromkeys(_SLOT.findall(pattern)) if n not in marks]
    if any(n not in words for n in names):
        return
    for choice in product(*(words[n] for n in names)):
        text = pattern
        for name, word in zip(names, choice, strict=True):
            text = text.replace("{" + name + "}", word)
        yield text


def compile_attribute(
    entry: Mapping[str, Any], marks: frozenset[str], compiled: Callable[[str, str], Mapping[str, Phrase]]
) -> dict[str, Table]:
    """The phrases of an attribute, by value and role.

    `compiled(role, text)` makes the phrases of a text, by the role each serves.
    """
    tables: dict[str, Table] = {}
    for value, words in entry["values"].items():
        own = words.get("roles", {})
        table: dict[str, dict[Phrase, None]] = {}
        for role in dict.fromkeys((*entry["roles"], *own)):
            for pattern in (*entry["roles"].get(role, ()), *own.get(role, ())):
                for text in expand(pattern, words, marks):
                    for served, phrase in compiled(role, text).items():
                        table.setdefault(served, {})[phrase] = None
        tables[str(value)] = {role: tuple(phrases) for role, phrases in table.items()}
    return tables
