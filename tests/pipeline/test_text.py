from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import clean, script_of, words

anything = st.text(st.characters(exclude_categories=[]))  # lone surrogates included
capitals = st.text("ABCIXYZÄÉİΣЖ'’.!? -\"", max_size=60)


@given(anything | capitals)
def test_cleaning_a_clean_text_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(anything)
def test_a_clean_text_is_one_line_of_visible_nfc(text: str) -> None:
    line = clean(text)
    assert unicodedata.is_normalized("NFC", line)
    assert line == " ".join(line.split())
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") for c in line)
    line.encode()


@given(anything)
def test_the_letters_of_a_text_survive_cleaning_but_for_their_case(text: str) -> None:
    def letters(s: str) -> str:
        folded = unicodedata.normalize("NFC", s).casefold()
        return "".join(c for c in unicodedata.normalize("NFD", folded) if c.isascii() and c.isalpha())

    assert letters(clean(text)) == letters(text)


@pytest.mark.parametrize(
    ("shouted", "expected"),
    [
        ("WE CALL IT BEAR", "We call it bear"),
        ("I'M SURE. ARE YOU? I AM", "I'm sure. Are you? I am"),
        ("IT’S O’CLOCK", "It’s o’clock"),
        ("MR SMITH'S TV IS ON THE BBC", "Mr smith's TV is on the BBC"),
        ("HMM, A PLAN B", "Hmm, a plan B"),
        ("MADE IN THE U.S.A.", "Made in the U.S.A."),
        ('"STOP!" HE SAID', '"Stop!" He said'),
        ("ПРИВЕТ МИР", "Привет мир"),
        ("ΟΔΟΣ", "Οδος"),
    ],
)
def test_shouting_becomes_sentence_case(shouted: str, expected: str) -> None:
    assert clean(shouted) == expected


@pytest.mark.parametrize(
    "text", ["NASA says no", "McDonald and I", "我在看NBA比赛", "BBC", "I", "iPhone", "42"]
)
def test_capitals_in_mixed_text_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\n\tb\u2028c\x00\x07d", "a b cd"),
        ("\ufeffza\u200bp \u202etxt\u2066", "zap txt"),
        ("soft\u00adhyphen", "softhyphen"),
        ("cafe\u0301", "café"),
        ("hid\ufe0fden\U000e0041\U000e0101", "hidden"),
        ("\ud800x", "x"),
        ("<b>bold</b> &amp; {{x}}", "<b>bold</b> &amp; {{x}}"),
        ("而 对 楼市 成交， 作用", "而对楼市成交，作用"),
        ("看 NBA 比赛", "看 NBA 比赛"),
        (" \n ", ""),
    ],
)
def test_what_does_not_show_goes_and_what_shows_stays(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(anything, st.sampled_from([None, "en", "fr", "zh"]))
def test_tokens_are_substrings_in_order(text: str, language: str | None) -> None:
    at = 0
    for token in words(text, language):
        at = text.index(token, at) + len(token)


@given(st.text(st.characters(exclude_categories=["Cn"])))
def test_tokens_hold_every_letter_and_digit_and_each_holds_one(text: str) -> None:
    tokens = words(text)
    assert all(any(c.isalnum() for c in token) for token in tokens)
    assert [c for c in text if c.isalpha()] == [c for token in tokens for c in token if c.isalpha()]


@given(anything)
def test_a_token_taken_alone_is_one_token(text: str) -> None:
    assert all(words(token) == [token] for token in words(text))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("“Don't,” said the dogs' owner — twice…", "en", ["Don't", "said", "the", "dogs", "owner", "twice"]),
        ("3.5 or 1,000; 2, 3", "en", ["3.5", "or", "1,000", "2", "3"]),
        ("well-known", "en", ["well", "known"]),
        ("我爱NBA。", "zh", ["我", "爱", "NBA"]),
        ("東京タワー", "ja", ["東", "京", "タ", "ワ", "ー"]),
        ("हिन्दी भाषा", "hi", ["हिन्दी", "भाषा"]),
        ("L'homme d’ici", "fr", ["L'", "homme", "d’", "ici"]),
        ("?! … —", None, []),
    ],
)
def test_tokens_stand_as_in_the_text(text: str, language: str | None, expected: list[str]) -> None:
    assert words(text, language) == expected


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Please call Stella.", "latin"),
        ("我喜欢 Michael Jackson", "han"),
        ("東京タワーへ行く", "kana"),
        ("美の世界很好看我们都喜欢它", "han"),
        ("안녕하세요", "hangul"),
        ("Привет, мир", "cyrillic"),
        ("ＡＢＣ", "latin"),
        ("12 ... 3", None),
        ("", None),
    ],
)
def test_the_script_is_that_of_most_tokens(text: str, script: str | None) -> None:
    assert script_of(text) == script
