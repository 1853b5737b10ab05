"""Where examples come from: the captions of a run, files that people write, the prompt's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args

from jobs.captions import captioned
from jobs.captions.captioned import Language
from jobs.runs import Run
from jobs.train.rewriter.pairs import Pair
from pipeline.errors import SourceError
from pipeline.rows import AgeGroup, Emotions, Gender, Level3, Pace3
from prompts.realiser import Attributes, Captions
from prompts.rewriter import Prompt

_VALUES = {
    "gender": get_args(Gender),
    "age_group": get_args(AgeGroup),
    "pitch_label": get_args(Level3),
    "energy_label": get_args(Level3),
    "speed_label": get_args(Pace3),
    "emotion": get_args(Emotions),
}
_NAMES = tuple(field.name for field in fields(Attributes))


def from_run(url: str) -> Iterator[Pair]:
    """The captions of a run."""
    for one in captioned(Run.open(url)):
        if one is not None:
            yield Pair(one.id, one.language, one.attributes, one.captions, "run")


def from_file(path: Path) -> Iterator[Pair | None]:
    """The examples of a file of JSON lines; None for one that says itself that it is faulty.

    A line has id, language (en, zh), attributes, description, instruction and perhaps faults. SourceError
    names the line that is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"The examples {path} cannot be read: {error}.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _pair(line, f"{path.name}, line {number}")


def from_prompt(prompt: Prompt) -> Iterator[Pair]:
    """The examples that a prompt shows."""
    for number, example in enumerate(prompt.examples, 1):
        id = f"{prompt.name}.{prompt.language} example {number}"
        yield Pair(id, prompt.language, example.attributes, example.captions, "prompt")


def _pair(line: str, where: str) -> Pair | None:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise SourceError(f"{where} is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise SourceError(f"{where} is not a JSON object.")
    if record.get("faults"):
        return None
    for name in ("id", "description"):
        if not isinstance(record.get(name), str) or not record[name].strip():
            raise SourceError(f"{where} must have text as its {name}.")
    if record.get("language") not in get_args(Language):
        raise SourceError(f"{where} must have en or zh as its language, not {record.get('language')!r:.40}.")
    instruction = record.get("instruction")
    if instruction is not None and not isinstance(instruction, str):
        raise SourceError(f"{where} must have text or null as its instruction.")
    known = _attributes(record.get("attributes"), where)
    language = cast("Language", record["language"])
    return Pair(record["id"], language, known, Captions(record["description"], instruction, ()), "examples")


def _attributes(record: Any, where: str) -> Attributes:
    if not isinstance(record, Mapping):
        raise SourceError(f"{where} must have an object as its attributes.")
    for name, value in record.items():
        if name not in _NAMES:
            raise SourceError(f"{where} has the attribute {name!r:.40}; there are {', '.join(_NAMES)}.")
        if value is not None and not isinstance(value, str):
            raise SourceError(f"{where} must have text or null as {name}.")
        if value is not None and name in _VALUES and value not in _VALUES[name]:
            raise SourceError(f"{where} has {name} {value!r:.40}; there are {', '.join(_VALUES[name])}.")
    return Attributes(**dict(record))
