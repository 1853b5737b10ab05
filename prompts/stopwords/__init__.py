"""Lists of frequent words and what they tell, lower case, apart by white space; `#` begins a comment."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def stopwords(name: str) -> frozenset[str]:
    """The words of `prompts/stopwords/<name>.txt`."""
    text = resources.files(__package__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(" ".join(line.partition("#")[0] for line in text.splitlines()).split())
