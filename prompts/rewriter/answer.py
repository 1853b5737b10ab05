"""A model's answer as the object of strings that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from prompts.rewriter.errors import AnswerError

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_BLOCK = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_decode = json.JSONDecoder(strict=False).decode
_LONGEST = 65_536
"""Characters of the longest answer that is looked at: the longest that fits a schema is a tenth of it."""


def schema_of(lengths: Mapping[str, int]) -> dict[str, object]:
    """The JSON schema of an object of strings, each at most so many characters long.

    The same for every clip, so that a server compiles its grammar once.
    """
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(lengths),
        "properties": {name: {"type": "string", "maxLength": most} for name, most in lengths.items()},
    }


def strings_of(answer: str, lengths: Mapping[str, int]) -> dict[str, str]:
    """The strings of an answer, as they stand in it; AnswerError where it does not fit the schema.

    A leading `<think>` block and a code block around the whole are allowed for: servers without
    structured output send them. Raw control characters in strings are too: vLLM's grammar lets them by.
    """
    if len(answer) > _LONGEST:
        raise AnswerError(f"The answer has {len(answer)} characters, which is far more than was asked for.")
    text = _THOUGHT.sub("", answer)
    found = _BLOCK.match(text)
    data = _parsed(found[1] if found else text)
    names = ", ".join(f'"{name}"' for name in lengths)
    if not isinstance(data, dict):
        raise AnswerError(f"The answer is not a JSON object with {names}.")
    if set(data) != set(lengths):
        raise AnswerError(f"The JSON object must have exactly the keys {names}.")
    for name, most in lengths.items():
        if not isinstance(data[name], str):
            raise AnswerError(f'The value of "{name}" is not a string.')
        if len(data[name]) > most:
            raise AnswerError(f'"{name}" is longer than {most} characters.')
    return data


def _parsed(text: str) -> object:
    text = text.strip()
    if not text:
        raise AnswerError("The answer is empty.")
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        if text[0] == "{" and (error.pos >= len(text) or error.msg.startswith("Unterminated")):
            raise AnswerError("The answer was cut off before its JSON ended.") from None
        raise AnswerError("The answer is not JSON.") from None
    except (ValueError, RecursionError):  # a number of 5,000 digits, 10,000 brackets
        raise AnswerError("The answer is not JSON.") from None
