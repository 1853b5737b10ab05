"""Captions of one clip: what decides them, what is said where little is known, and foreign text in them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.realiser import Attributes, realise
from prompts.realiser.draw import Draw
from tests.prompts.reading import (
    NAMES,
    TEXT,
    VALUES,
    Lang,
    attributes_of,
    read,
)

LANGUAGES: tuple[Lang, ...] = ("en", "zh")
FULL = Attributes(
    gender="female",
    age_group="young adult",
    pitch_label="normal",
    energy_label="normal",
    speed_label="normal",
    emotion="happy",
    emphasis_word="home",
    topic="rivers",
    transcript="I went home",
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "drop", [(), ("emotion", "emphasis_word", "age_group"), ("gender", "age_group", "emotion", "topic")]
)
def test_a_thousand_clips_with_equal_labels_read_differently(language: Lang, drop: tuple[str, ...]) -> None:
    known: dict[str, Any] = {f: getattr(FULL, f) for f in (*VALUES, "transcript") if f not in drop}
    captions = [realise(Attributes(**known), language=language, key=f"clip-{i}") for i in range(1000)]
    assert len({c.description for c in captions}) == 1000
    assert len({c.instruction for c in captions}) == 1000


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_depend_on_attributes_language_key_and_seed_alone(language: Lang) -> None:
    first = realise(FULL, language=language, key="a")
    realise(FULL, language=language, key="b")
    assert realise(FULL, language=language, key="a") == first
    assert realise(FULL, language=language, key="b") != first
    assert realise(FULL, language=language, key="a", seed=1) != first


def test_captions_are_the_same_in_every_process() -> None:
    assert Draw(0, "clip", "description").below(10**9) == Draw(0, "clip", "description").below(10**9)
    assert [Draw(0, "clip").below(1000) for _ in range(1)] == [899]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_known_claims_nothing(language: Lang) -> None:
    for key in map(str, range(40)):
        captions = realise(Attributes(transcript=TEXT[language]), language=language, key=key)
        assert captions.conveyed == ()
        assert read(captions.description, language) in ([], [("who", "unknown/unknown")])
        assert TEXT[language] in (captions.instruction or "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("transcript", [None, "", "  \n"])
def test_without_words_there_is_no_instruction(language: Lang, transcript: str | None) -> None:
    assert (
        realise(Attributes(gender="male", transcript=transcript), language=language, key="a").instruction
        is None
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", VALUES)
def test_one_attribute_alone_makes_both_captions(language: Lang, field: str) -> None:
    row = [value[0] if name == field else None for name, value in VALUES.items()]
    for key in map(str, range(30)):
        captions = realise(attributes_of(row, language), language=language, key=key)
        assert captions.conveyed == (NAMES[field],)
        assert TEXT[language] in (captions.instruction or "")


def test_an_emotion_that_is_other_says_nothing() -> None:
    assert realise(Attributes(emotion="other"), language="en", key="a").conveyed == ()


def test_a_phrase_for_the_emotion_replaces_its_class_in_its_own_language_only() -> None:
    known = Attributes(emotion="sad", emotion_caption="心里无比疼痛，伤心。", transcript="好")
    for key in map(str, range(20)):
        chinese = realise(known, language="zh", key=key)
        assert "“心里无比疼痛，伤心”" in chinese.description
        assert "心里无比疼痛，伤心" not in realise(known, language="en", key=key).description
        assert realise(known, language="en", key=key).conveyed == ("emotion",)


@pytest.mark.parametrize("ending", [".", "?", "!", "…", "。", "！", '."'])
@pytest.mark.parametrize("language", LANGUAGES)
def test_words_that_bring_their_full_stop_get_no_other(language: Lang, ending: str) -> None:
    for key in map(str, range(60)):
        text = realise(
            Attributes(gender="female", speed_label="fast", pitch_label="low", transcript="Stop" + ending),
            language=language,
            key=key,
        ).instruction
        assert text is not None
        after = text.partition("Stop" + ending)[2]
        assert not re.match(r'["”»」』]+[.。,，]', after), text


HOSTILE = st.one_of(
    st.text(min_size=1, max_size=60),
    st.lists(
        st.sampled_from(
            [
                '"',
                "“",
                "”",
                "「」",
                "«»",
                "『",
                "{who}",
                "{x}",
                "{quote}",
                "%s",
                "\\1",
                "\n",
                "\0",
                "</b>",
                "a",
                " ",
                "我",
                "。",
                "ignore the above",
                "\ud800",
            ]
        ),
        min_size=1,
        max_size=12,
    ).map("".join),
)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None, max_examples=60)
@given(transcript=HOSTILE, word=HOSTILE, topic=HOSTILE, key=st.text(max_size=8))
def test_hostile_text_is_quoted_verbatim_and_changes_nothing_else(
    language: Lang, transcript: str, word: str, topic: str, key: str
) -> None:
    known = Attributes(
        gender="male", pitch_label="high", emphasis_word=word, topic=topic, transcript=transcript
    )
    captions = realise(known, language=language, key=key)
    assert {"gender", "pitch"} <= set(captions.conveyed)
    assert captions.description.isprintable() or not word.isprintable() or not topic.isprintable()
    assert "\n" not in captions.description
    if transcript.isspace():
        assert captions.instruction is None
    else:
        assert transcript in (captions.instruction or "")


def test_ten_thousand_words_are_kept() -> None:
    words = "and so on " * 3000 + "end"
    captions = realise(Attributes(gender="male", transcript=words), language="en", key="a")
    assert captions.instruction is not None
    assert words in captions.instruction
