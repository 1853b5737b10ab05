from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.topic.keywords import KeywordsAnnotator
from pipeline.clip import Given
from pipeline.rows import Language, Row, Topic, Transcript
from pipeline.text import clean, words
from tests.make import clip_of


def topic_of(
    text: str | None = None, language: str | None = "en", known: Given | None = None, max_words: int = 3
) -> Topic:
    rows: list[Row] = [Language(language, None, None)]
    if text is not None:
        rows.append(Transcript(text, text, "given", None))
    return KeywordsAnnotator(max_words=max_words).annotate([clip_of(given=known, rows=rows)])[0]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Don't ask me to carry an oily rag like that.", "oily rag"),
        ("How much are my telephone charges?", "telephone charges"),
        ("We'll serve rhubarb pie after Rachel's talk.", "rhubarb pie"),
        ("The wine from that vineyard is good; the wine is cheap.", "wine"),
        ("I live near Paris.", "Paris"),
    ],
)
def test_an_english_topic_is_a_noun_phrase(text: str, topic: str) -> None:
    assert topic_of(text) == Topic(topic, "keywords")


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("抢到了五月天的演唱会门票,还是头排!", "演唱会门票"),
        ("枇杷好吃。", "枇杷"),
        ("狮子，不全是那么差劲。", "狮子"),
    ],
)
def test_a_chinese_topic_is_a_run_of_nouns(text: str, topic: str) -> None:
    assert topic_of(text, "zh") == Topic(topic, "keywords")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Do you want to?", "en"),
        ("What do they do with it then?", "en"),
        ("in being comparatively modern.", "en"),
        ("I have none, I said happily.", "en"),
        ("ZERO THREE FIVE ONE", "en"),
        ("是吗？", "zh"),
        ("Das will sie am Mittwoch abgeben.", "de"),
        ("Das will sie am Mittwoch abgeben.", None),
        ("人生就像剥洋葱", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_where_nothing_tells_there_is_no_topic(text: str | None, language: str | None) -> None:
    assert topic_of(text, language) == Topic(None, None)


def test_what_the_source_says_beats_the_words() -> None:
    text = "The wine is good."
    assert topic_of(text, known=Given(category="Food", title="My cellar")) == Topic("Food", "given")
    assert topic_of(text, known=Given(title="My\ncellar ")) == Topic("My cellar", "given")
    assert topic_of(text, known=Given(description="On chess.")) == Topic("wine", "keywords")
    assert topic_of("Do you?", known=Given(description="A lecture on chess openings.")) == Topic(
        "chess openings", "keywords"
    )


@pytest.mark.parametrize("title", ["LJ001-0001", "2023-01-02", "...", "", "未命名", "other", "Unknown"])
def test_a_title_that_names_no_topic_in_the_language_is_passed_over(title: str) -> None:
    assert topic_of("The wine is good.", known=Given(title=title, category=title)) == Topic(
        "wine", "keywords"
    )


def test_a_long_title_is_cut_to_its_keywords() -> None:
    title = "How we learned to stop the endless war with garden snails in our village"
    assert topic_of(known=Given(title=title)) == Topic("endless war", "keywords")


@given(
    st.text() | st.text("the of 人生洋葱 Tom's pie.,<>'’-A"),
    st.sampled_from(["en", "zh", "de", None]),
    st.integers(1, 3),
)
def test_keywords_are_few_and_taken_from_the_text(text: str, language: str | None, max_words: int) -> None:
    topic = topic_of(text, language, max_words=max_words).topic
    if topic is not None:
        found = words(topic)
        assert language in ("en", "zh")
        assert language == "zh" or len(topic.split()) <= max_words
        assert all(token.lower() in clean(text).lower() for token in found)


@given(st.text(st.characters(exclude_categories=[])), st.sampled_from(["en", "zh"]))
def test_a_hostile_title_gives_one_clean_line_or_nothing(title: str, language: str) -> None:
    topic = topic_of(None, language, Given(title=title, category=title, description=title)).topic
    assert topic is None or (topic == " ".join(topic.split()) and topic.encode())


@pytest.mark.parametrize("text", ["Kangaroo cows trace.", "Telephone charges"])
def test_a_topic_that_is_all_that_was_said_is_none(text: str) -> None:
    assert topic_of(text) == Topic(None, None)
