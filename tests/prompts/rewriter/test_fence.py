"""Nothing a clip says can leave its fence."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.rewriter.fence import CLOSE, GAP, OPEN, asked, defused, fenced, shortened
from tests.prompts.rewriter.hostile import ATTACKS, TEXTS

STRUCTURAL = set("<>[]{}|`")


def test_no_character_turns_into_a_structural_one_by_normalisation() -> None:
    for code in range(0x110000):
        character = chr(code)
        if STRUCTURAL & set(unicodedata.normalize("NFKC", character)):
            assert not STRUCTURAL & set(unicodedata.normalize("NFKC", defused(character))), hex(code)


@given(TEXTS)
def test_defused_text_is_one_printable_line_that_opens_nothing(text: str) -> None:
    line = defused(text)
    assert not STRUCTURAL & set(line)
    assert line.isprintable()
    line.encode()
    assert defused(line) == line


def test_plain_text_in_any_script_is_shown_as_it_is() -> None:
    for text in (
        "It's \"fine\" (really), isn't it? 3.5 % – yes…",
        "他说：“好，《家》。”",
        "Привет, мир",
        "안녕",
    ):
        assert defused(text) == text


@given(TEXTS, st.integers(20, 300))
def test_shortened_text_keeps_to_its_limit(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    if len(text) <= limit:
        assert short == defused(text)


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = "The first words. " + "And so on. " * 1000 + "The last words."
    short = shortened(text, 80)
    assert short.startswith("The first words.")
    assert short.endswith("The last words.")
    assert GAP in short


@given(st.dictionaries(TEXTS.map(defused), TEXTS.map(defused), max_size=5))
def test_the_fenced_json_parses_back_and_the_tags_stand_once(data: dict[str, str]) -> None:
    block = fenced(data)
    opened, line, closed = block.split("\n")
    assert (opened, closed) == (OPEN, CLOSE)
    assert json.loads(line) == data
    assert block.count(OPEN) == block.count(CLOSE) == 1


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_reasons_are_data_too(attack: str) -> None:
    text = asked({"a": "b"}, [attack] * 20, rejected="Rejected:", request="Answer.")
    first, *_, rejected, reasons, request = text.split("\n")
    assert (first, rejected, request) == (OPEN, "Rejected:", "Answer.")
    assert text.count(OPEN) == text.count(CLOSE) == 1
    assert len(json.loads(reasons)) == 8
    assert len(text) < 2_200
