"""Answers are what was asked for, or an error that says why not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rewriter import AnswerError
from prompts.rewriter.answer import schema_of, strings_of

LENGTHS = {"description": 30, "instruction": 40}
GOOD = {"description": "ab", "instruction": "cd"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "x"]), inner),
    max_leaves=6,
)


def test_every_string_of_the_schema_has_a_longest() -> None:
    schema = schema_of(LENGTHS)
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(LENGTHS)
    assert schema["properties"] == {n: {"type": "string", "maxLength": m} for n, m in LENGTHS.items()}


@given(st.text(max_size=30), st.text(max_size=40))
def test_what_fits_the_schema_is_read_as_it_stands(description: str, instruction: str) -> None:
    strings = {"description": description, "instruction": instruction}
    assert strings_of(json.dumps(strings), LENGTHS) == strings
    assert strings_of(json.dumps(strings, ensure_ascii=False, indent=2), LENGTHS) == strings


@pytest.mark.parametrize(
    "answer",
    [
        f"```json\n{json.dumps(GOOD)}\n```",
        f"\n```\n{json.dumps(GOOD)}```\n",
        f"<think>\n{{ hm }}\n</think>\n{json.dumps(GOOD)}",
        '{"description": "ab",\n\n\t"instruction": "cd"}',
    ],
)
def test_a_code_block_and_a_thought_are_allowed_for(answer: str) -> None:
    assert strings_of(answer, LENGTHS) == GOOD


def test_raw_control_characters_in_strings_are_allowed() -> None:
    read = strings_of('{"description": "a\n\tb\x01", "instruction": ""}', LENGTHS)
    assert read["description"] == "a\n\tb\x01"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("Sure! Here it is.", "not JSON"),
        (f"Sure: {json.dumps(GOOD)}", "not JSON"),
        (f"{json.dumps(GOOD)} Anything else?", "not JSON"),
        (json.dumps(GOOD) * 2, "not JSON"),
        (json.dumps([GOOD]), "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"description": "ab"}', "exactly the keys"),
        (json.dumps({**GOOD, "topic": "x"}), "exactly the keys"),
        (json.dumps({**GOOD, "instruction": None}), '"instruction" is not a string'),
        (json.dumps({**GOOD, "description": "a" * 31}), '"description" is longer than 30'),
        ('{"description": "A woman spea', "cut off"),
        ('{"description": "ab", "instr', "cut off"),
        ('{"description": "ab",', "cut off"),
        ("{" + "\n" * 50, "cut off"),
        ("[" * 50_000, "not JSON"),
        ("9" * 10_000, "not JSON"),
        ("a" * 100_000, "100000 characters"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(answer: str, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        strings_of(answer, LENGTHS)


@given(JSON.map(json.dumps) | st.text(max_size=80))
def test_anything_else_is_an_error_of_one_sentence(answer: str) -> None:
    why = ""
    try:
        assert set(strings_of(answer, LENGTHS)) == set(LENGTHS)
    except AnswerError as error:
        why = str(error)
    assert not why or (why.endswith(".") and "\n" not in why)


@given(st.integers(1, len(json.dumps(GOOD)) - 1))
def test_every_truncation_is_seen(n: int) -> None:
    with pytest.raises(AnswerError):
        strings_of(json.dumps(GOOD)[:n], LENGTHS)
