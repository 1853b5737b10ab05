"""Foreign text stays what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.realiser.quoting import (
    CHINESE_QUOTES,
    ENGLISH_QUOTES,
    as_topic,
    bare_word,
    ends_sentence,
    lacks_article,
    quoted,
)


@given(st.text(alphabet='"“”«»「」『』a\n ', min_size=1, max_size=20))
def test_quotes_can_be_told_from_the_text(text: str) -> None:
    for pairs in (ENGLISH_QUOTES, CHINESE_QUOTES):
        whole = quoted(text, pairs)
        assert text in whole
        margin = (len(whole) - len(text)) // 2
        assert whole[margin : margin + len(text)] == text
        assert whole[:margin] not in text
        assert whole[-margin:] not in text


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("Go.", True),
        ("Go?", True),
        ('"Go!"', True),
        ("好。", True),
        ("go", False),
        ("3.5", False),
        ("Go. ", True),
    ],
)
def test_a_full_stop_is_seen_behind_quotes_and_spaces(text: str, stops: bool) -> None:
    assert ends_sentence(text) is stops


@pytest.mark.parametrize(
    ("text", "word"), [("home.", "home"), ("“don't”,", "don't"), ("...", ""), (None, ""), ("a\nb", "a b")]
)
def test_a_stressed_word_loses_the_punctuation_around_it(text: str | None, word: str) -> None:
    assert bare_word(text) == word


def test_a_stressed_word_of_any_length_is_read_in_one_pass() -> None:
    """As a regular expression this took 33 s: every hyphen began a run that was read to its end."""
    text = "a" + "-" * 50_000 + "b"
    assert bare_word(f"-{text}-") == text


@pytest.mark.parametrize(
    ("topic", "language", "said"),
    [
        ("life at sea", "en", "life at sea"),
        ("river, boats, winter", "en", "river, boats and winter"),
        ('say "no". {x}', "en", '“say "no". {x}”'),
        ("工作、会议", "zh", "工作和会议"),
        ("AI 时代", "zh", "“AI 时代”"),
        ("?!", "en", ""),
    ],
)
def test_a_topic_is_bare_where_plain_and_quoted_where_not(topic: str, language: str, said: str) -> None:
    assert as_topic(topic, language, ENGLISH_QUOTES if language == "en" else CHINESE_QUOTES) == said


@pytest.mark.parametrize(
    ("topic", "lacks"),
    [
        ("brother", True),
        ("oily rag", True),
        ("river, boats", True),
        ("bus", True),
        ("glass", True),
        ("rivers", False),
        ("river boats, ships", False),
        ("the weather", False),
        ("how to row", False),
        ("news", False),
        ("AI & art", False),
        ("兄弟", False),
        (None, False),
    ],
)
def test_a_topic_stands_bare_that_is_plural_or_has_its_article(topic: str | None, lacks: bool) -> None:
    assert lacks_article(topic) is lacks
