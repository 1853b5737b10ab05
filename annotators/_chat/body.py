"""The body of a request, as bytes: what all requests share is written once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

Message = Mapping[str, str]

FORMATS = ("json_schema", "json_object", "none")
"""How an answer's form is asked for, the best first: servers refuse (400) those they do not know."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model is asked."""

    model: str
    temperature: float
    top_p: float
    max_tokens: int


class Form:
    """What questions share: how they are asked, and the schema of the answer."""

    def __init__(self, sampling: Sampling, schema: Mapping[str, object]) -> None:
        shared = {
            "model": sampling.model,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        self.head = _encode(shared)[:-1]
        self.tails = [f',"response_format":{_encode(f)}}}' for f in _formats(schema)] + ["}"]


@dataclass(frozen=True, slots=True)
class Question:
    """Messages and a seed."""

    form: Form
    messages: Sequence[Message]
    seed: int

    def body(self, level: int) -> bytes:
        """The body that asks for its answer by `FORMATS[level]`."""
        before, _ = self._before
        text = f"{self.form.head}{before}{self._own}{self.form.tails[level]}"
        return text.encode("utf-8", "replace")  # a lone surrogate of some transcript is no UTF-8

    def digest(self) -> str:
        """The same for the same question, whichever form of answer a server knows."""
        _, before = self._before
        own = f"{self.form.head} {before} {self._own} {self.form.tails[0]}"
        return hashlib.blake2b(own.encode("utf-8", "replace"), digest_size=8).hexdigest()

    @property
    def _before(self) -> tuple[str, str]:
        return _written(tuple((m["role"], m["content"]) for m in self.messages[:-1]))

    @property
    def _own(self) -> str:
        role, content = self.messages[-1]["role"], self.messages[-1]["content"]
        return f'{{"role":{_encode(role)},"content":{_encode(content)}}}],"seed":{self.seed}'


def _formats(schema: Mapping[str, object]) -> list[dict[str, object]]:
    strict = {"name": "answer", "strict": True, "schema": schema}
    return [{"type": "json_schema", "json_schema": strict}, {"type": "json_object"}]


@lru_cache(maxsize=16)
def _written(messages: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """All messages but the last, the prompt's own 8 KB, written once a prompt; and their digest."""
    text = "".join(f'{{"role":{_encode(r)},"content":{_encode(c)}}},' for r, c in messages)
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f',"messages":[{text}', digest
