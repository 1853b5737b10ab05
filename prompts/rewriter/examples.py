"""The examples of a prompt file: pairs written by hand, shown to a model and good to train one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prompts.realiser.attributes import CONVEYABLE, Attributes, Captions
from prompts.realiser.facts import values_of
from prompts.rewriter.errors import AnswerError
from prompts.rewriter.file import PromptFile
from prompts.rewriter.words import Place, place_of, put_in

_FIELDS = {
    "gender": "gender",
    "age": "age_group",
    "pitch": "pitch_label",
    "energy": "energy_label",
    "speed": "speed_label",
    "emotion": "emotion",
    "emotion_caption": "emotion_caption",
    "emphasis": "emphasis_word",
    "topic": "topic",
    "transcript": "transcript",
}


@dataclass(frozen=True, slots=True)
class Example:
    """What is known of a clip, in the order in which it is shown, and captions of it.

    `answer` is what the model is to write: JSON, with the mark where the words go; `place` is where that is.
    """

    attributes: Attributes
    order: tuple[str, ...]
    captions: Captions
    answer: str
    place: Place | None


def answer_of(description: str, instruction: str) -> str:
    """An answer in JSON, on one line."""
    return json.dumps({"description": description, "instruction": instruction}, ensure_ascii=False)


def example_of(
    file: PromptFile, *, values: Mapping[str, Sequence[str]], example: Mapping[str, Any]
) -> Example:
    """An example of a file; PromptError if its facts are not facts or its mark does not stand once."""
    given = example["given"]
    if not isinstance(given, dict):
        file.fail("must have name: value lines under 'given' in each example")
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _FIELDS:
            file.fail(f"has {name!r} in an example, which knows only: {', '.join(_FIELDS)}")
        if not isinstance(value, str) or (values.get(name) and value not in values[name]):
            known = ", ".join(values.get(name) or ["text"])
            file.fail(f"has {name}: {value!r} in an example, where there is: {known}")
        fields[_FIELDS[name]] = value
    attributes = Attributes(**fields)
    told = values_of(attributes, file.language)
    order = [("emotion" if name == "emotion_caption" else name) for name in given if name != "transcript"]
    if sorted(order) != sorted(told):
        file.fail("has an example that gives an emotion twice, or a text with nothing in it")
    description, instruction = (_line(file, example[name]) for name in ("description", "instruction"))
    return _written(file, attributes, tuple(order), description, instruction)


def _line(file: PromptFile, text: object) -> str:
    if not isinstance(text, str):
        file.fail("must have text as description and instruction of each example")
    return " ".join(text.split())


def _written(
    file: PromptFile, attributes: Attributes, order: tuple[str, ...], description: str, instruction: str
) -> Example:
    words = (attributes.transcript or "").strip()
    if instruction.count(file.mark) != bool(words):
        file.fail(f"must have its mark {file.mark} once in the instruction of each example with a transcript")
    try:
        full = put_in(instruction, file.mark, words, file.language) if words else None
    except AnswerError as error:
        file.fail(f"has an example that would be rejected: {str(error).rstrip('.')}")
    told = tuple(name for name in CONVEYABLE if name in order)
    place = place_of(full, words) if full else None
    return Example(
        attributes, order, Captions(description, full, told), answer_of(description, instruction), place
    )
