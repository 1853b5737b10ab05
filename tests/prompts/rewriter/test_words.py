"""The words stand in the instruction as they were said, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prompts.rewriter import AnswerError
from prompts.rewriter.words import place_of, put_in, taken_out
from tests.prompts.rewriter.hostile import ATTACKS

MARK = "{words}"
SAID = st.one_of(st.sampled_from(ATTACKS), st.text(min_size=1, max_size=60)).filter(str.strip)
FRAMES = st.sampled_from(
    [
        "Say {words}",
        'Say, slowly: "{words}"',
        "{words} is said",
        "请轻声说：“{words}”，好吗",
        "say '{words}.' low",
    ]
)


@given(FRAMES, SAID, st.sampled_from(["en", "zh"]))
def test_the_words_stand_verbatim_once_between_quotes(frame: str, words: str, language: str) -> None:
    words = words.strip()
    full = put_in(frame, MARK, words, language)
    assert words in full
    before, _, after = full.partition(words)
    assert before[-1:] in "\"'“«「『"
    assert after[:1] in "\"'”»」』"
    if words not in frame:
        assert "{words}" not in before + after


@pytest.mark.parametrize(
    ("instruction", "words", "full"),
    [
        ("Say {words}", "Go.", 'Say "Go."'),
        ("Say {words}", "go", 'Say "go".'),
        ("Say {words}.", "Go.", 'Say "Go."'),
        ("Say {words}.", "go", 'Say "go".'),
        ("Say {words} slowly.", "Go.", 'Say "Go." slowly.'),
        ('Say "{words}" slowly.', "Go.", 'Say "Go." slowly.'),
        ('Say "{words}," slowly.', "Go", 'Say "Go", slowly.'),
        ('Say "{words}."', "Go.", 'Say "Go."'),
        ("Say “{words}”.", "go", "Say “go”."),
        ("Say '{words}' slowly.", "don't", 'Say "don\'t" slowly.'),
        ('Say "{words}" slowly.', 'so "no"', 'Say “so "no"” slowly.'),
        ("Say { Words } now.", "Go", 'Say "Go" now.'),
        ("Say\n{words}\x00now.", "a  b\nc", 'Say "a  b\nc" now.'),
        ("Say {words} now.", "{words}", 'Say "{words}" now.'),
        ("Say {words}.", r"\1 \g<0>", r'Say "\1 \g<0>".'),
    ],
)
def test_quotes_and_stops_fit(instruction: str, words: str, full: str) -> None:
    assert put_in(instruction, MARK, words, "en") == full


@pytest.mark.parametrize(
    ("instruction", "words", "full"),
    [
        ("请说{words}", "走吧。", "请说“走吧。”"),
        ("请说{words}", "走吧", "请说“走吧”。"),
        ("请说{words}，要慢。", "走吧。", "请说“走吧。”，要慢。"),
        ("请说“{words}。”", "走吧", "请说“走吧”。"),
        ("请说「｛words｝」。", "走吧！", "请说「走吧！」"),
        ("请说“{words}”。", "他说“走”", "请说「他说“走”」。"),
    ],
)
def test_chinese_quotes_and_stops_fit(instruction: str, words: str, full: str) -> None:
    assert put_in(instruction, MARK, words, "zh") == full


def test_an_instruction_that_quotes_the_words_itself_is_kept() -> None:
    assert put_in(' Say  "a\n b" now. ', MARK, "a\n b", "en") == 'Say "a\n b" now.'
    assert put_in("Say a.", MARK, "a", "en") == "Say a."


def test_an_instruction_without_the_words_is_left_for_the_check_to_reject() -> None:
    assert put_in("Say it sadly.", MARK, "Go.", "en") == "Say it sadly."


@pytest.mark.parametrize(
    ("instruction", "why"),
    [
        ("Say {words} and {words}.", "2 times"),
        ('Say "Out of here, all of you!" {words}', "as well as"),
        ('Say "{words} now.', "do not match"),
        ('Say “{words}".', "do not match"),
    ],
)
def test_a_mark_that_cannot_be_filled_says_why(instruction: str, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        put_in(instruction, MARK, "Out of here, all of you!", "en")


@pytest.mark.parametrize(
    ("instruction", "place"),
    [
        ('"Go on." Say it sadly.', "start"),
        ('Say "Go on." sadly.', "middle"),
        ('Say sadly: "Go on."', "end"),
        ('"Go on."', None),
        ("Say it.", None),
        ("“Go on.”——要说得慢。", "start"),
    ],
)
def test_the_place_of_the_words_is_where_nothing_is_beyond_them(instruction: str, place: str | None) -> None:
    assert place_of(instruction, "Go on.") == place


@given(FRAMES, SAID, st.sampled_from(["en", "zh"]))
def test_what_was_put_in_can_be_taken_out(frame: str, words: str, language: str) -> None:
    words = words.strip()
    full = put_in(frame, MARK, words, language)
    marked = taken_out(full, MARK, words, language)
    try:
        again = put_in(marked, MARK, words, language)
    except AnswerError:  # words that are marks: they stay as they are
        assert "words" in words.lower()
        return
    assert again == full
    assume(words not in frame and '"' not in words)
    assert marked.count(MARK) == 1
