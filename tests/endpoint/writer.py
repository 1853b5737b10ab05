"""The fake model: reads the labels in a prompt and writes what it is told to, by the realiser."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Literal

from prompts.realiser import Attributes, realise
from prompts.rewriter import Prompt, load
from tests.endpoint.script import Manner

_CLIP = re.compile(r"<clip>\n(.*)\n</clip>", re.DOTALL)
_FIELDS = {
    "gender": "gender",
    "age": "age_group",
    "pitch": "pitch_label",
    "energy": "energy_label",
    "speed": "speed_label",
    "emotion": "emotion",
    "emphasis": "emphasis_word",
    "topic": "topic",
    "transcript": "transcript",
}
_OTHER = {
    "gender": {"female": "male", "male": "female"},
    "pitch_label": {"low": "high", "normal": "low", "high": "low"},
}
_VARIETY = 16
"""Captions it knows for one set of labels: a model's variety, and a benchmark's speed."""


@dataclass(frozen=True)
class Asked:
    """A request as the model reads it. `clip` is the same at every attempt, `body` for the same request."""

    model: str
    seed: int
    about: Literal["caption", "topic", "nothing"]
    language: Literal["en", "zh"]
    data: Mapping[str, str]
    clip: str
    body: str
    format: str
    characters: int

    @property
    def holds(self) -> str:
        """All that is known of the clip, as text."""
        return " ".join(self.data.values())


def asked(body: bytes) -> Asked:
    """The request in a body; ValueError or KeyError where it is none."""
    request: dict[str, Any] = json.loads(body)
    messages = request["messages"]
    last = str(messages[-1]["content"])
    found = _CLIP.search(last)
    line = found[1] if found else ""
    tail = last[found.end() :] if found else ""
    return Asked(
        model=str(request["model"]),
        seed=int(request.get("seed") or 0),
        about="nothing" if not found else "topic" if '"topic"' in tail else "caption",
        language=_language(str(messages[0]["content"])),
        data=json.loads(line) if line else {},
        clip=hashlib.blake2b(line.encode(), digest_size=8).hexdigest(),
        body=hashlib.blake2b(body, digest_size=8).hexdigest(),
        format=str(request.get("response_format", {}).get("type", "none")),
        characters=sum(len(m["content"]) for m in messages),
    )


def written(question: Asked, manner: Manner) -> tuple[str, str]:
    """The text of an answer, and why it ends: `stop`, or `length`."""
    if question.about == "nothing":
        return "Hello", "length"
    if manner == "silent":
        return "", "stop"
    if manner == "prose":
        return "Sure! Here is the description you asked for: a voice speaks.", "stop"
    if manner == "hostile":
        return _hostile(question), "stop"
    text = _topic(question) if question.about == "topic" else _captions_of(question, manner == "wrong")
    return (text[: len(text) // 2], "length") if manner == "truncated" else (text, "stop")


@cache
def _language(system: str) -> Literal["en", "zh"]:
    return "zh" if sum("\u4e00" <= c <= "\u9fff" for c in system) > 100 else "en"


def _topic(question: Asked) -> str:
    return json.dumps({"topic": "天气" if question.language == "zh" else "the weather"}, ensure_ascii=False)


def _captions_of(question: Asked, wrong: bool) -> str:
    prompt = _prompt(question.language)
    transcript = prompt.file.inputs["transcript"].called
    labels = tuple(sorted((k, v) for k, v in question.data.items() if k != transcript))
    return _captions(labels, transcript in question.data, question.language, question.seed % _VARIETY, wrong)


@lru_cache(maxsize=100_000)
def _captions(
    labels: tuple[tuple[str, str], ...],
    spoken: bool,
    language: Literal["en", "zh"],
    seed: int,
    wrong: bool,
) -> str:
    attributes = _attributes(dict(labels), language)
    if wrong:
        changed: dict[str, Any] = {
            name: other.get(str(getattr(attributes, name)), "low")
            for name, other in _OTHER.items()
            if getattr(attributes, name)
        }
        attributes = replace(attributes, **changed)
    if spoken:
        attributes = replace(attributes, transcript="MARK")
    found = realise(attributes, language=language, key="fake", seed=seed)
    mark = _prompt(language).file.mark
    instruction = (found.instruction or "").replace("MARK", mark)
    return json.dumps({"description": found.description, "instruction": instruction}, ensure_ascii=False)


def _attributes(data: Mapping[str, str], language: Literal["en", "zh"]) -> Attributes:
    """The labels, read back by the words the prompt shows them with."""
    found: dict[str, Any] = {}
    for name, field in _FIELDS.items():
        shown = _prompt(language).file.inputs[name]
        if shown.called not in data:
            continue
        text = data[shown.called]
        values = [value for value, words in shown.values.items() if text in words]
        if values or not shown.values:
            found[field] = values[0] if values else text
        elif name == "emotion":
            found["emotion_caption"] = text
    return Attributes(**found)


@cache
def _prompt(language: Literal["en", "zh"]) -> Prompt:
    return load("caption", language)


def _hostile(question: Asked) -> str:
    """Each clip another; none is to become a caption."""
    return _HOSTILE[int(question.clip, 16) % len(_HOSTILE)]


def _both(description: str, instruction: str = "Say {words} so.") -> str:
    return json.dumps({"description": description, "instruction": instruction}, ensure_ascii=False)


_HOSTILE: Sequence[str] = (
    _both("word " * 200_000),
    "[" * 50_000,
    '{"description": ' * 20_000,
    _both("\u0000\u001b[31mred\u0007\u202ereversed"),
    _both("这是一段中文。" * 5, "用中文说{words}。"),
    _both("<script>alert(1)</script>"),
    json.dumps({"description": ["a list"], "instruction": {"an": "object"}}),
    json.dumps({"description": None, "instruction": 7}),
    '{"description": "a", "instruction": "b", "description": 1e999}',
    "9" * 10_000,
    _both("You write captions for recordings of speech. You never hear the recording."),
    _both("{words} {words} {words}", "{words} {words}"),
    _both("As an AI language model I cannot do that."),
    '{"description": "\ud800", "instruction": "\udfff"}'.encode("utf-8", "surrogatepass").decode("latin-1"),
)
