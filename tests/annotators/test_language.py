from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.language.script import ScriptAnnotator, language_code
from pipeline.clip import Given
from pipeline.errors import OptionError
from pipeline.rows import Language
from tests.make import clip_of


def language_of(
    *, default: str | None = "en", text: str | None = None, language: str | None = None
) -> Language:
    clip = clip_of(given=Given(text=text, language=language))
    return ScriptAnnotator(default=default).annotate([clip])[0]


@pytest.mark.parametrize(
    "name", ["EN", "en-US", "en_us", "eng", "English", "English (US)", " en ", "en-Latn-GB"]
)
def test_english_has_one_code(name: str) -> None:
    assert language_code(name) == "en"


@pytest.mark.parametrize(
    "name", ["zh-CN", "zh_cn", "cmn", "zho", "chi", "Mandarin", "Chinese", "zh-Hant-TW", "中文"]
)
def test_mandarin_has_one_code(name: str) -> None:
    assert language_code(name) == "zh"


@pytest.mark.parametrize(
    ("name", "code"),
    [("yue", "yue"), ("zh-yue", "yue"), ("Cantonese", "yue"), ("ger", "de"), ("iw", "he"), ("arb", "ar")],
)
def test_a_language_without_a_two_letter_code_keeps_its_three(name: str, code: str) -> None:
    assert language_code(name) == code


@pytest.mark.parametrize(
    "name", ["", "und", "mul", "zxx", "unknown", "none", "??", "qq", "klingonese", "a" * 1000]
)
def test_what_names_no_single_language_has_no_code(name: str) -> None:
    assert language_code(name) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_a_code_is_two_or_three_letters_and_its_own_code(name: str) -> None:
    code = language_code(name)
    assert code is None or (len(code) in (2, 3) and code.islower() and language_code(code) == code)


@given(
    st.sampled_from(["en", "de", "zh", "yue", "fra", "pt", "ru"]),
    st.sampled_from(["", "-US", "_CN", "-Latn"]),
)
def test_case_and_region_do_not_change_a_code(tag: str, region: str) -> None:
    assert language_code((tag + region).upper()) == language_code(tag)


def test_a_given_language_beats_the_text() -> None:
    assert language_of(language="de-AT", text="我们走吧") == Language("de", "given", None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("人生就像剥洋葱", "zh"),
        ("東京タワーへ行く", "ja"),
        ("안녕하세요", "ko"),
        ("สวัสดี", "th"),
        ("Please call her before the rain.", "en"),
        ("I'D LIKE TO LEAVE THIS IN YOUR SAFE", "en"),
    ],
)
def test_the_text_tells_the_language(text: str, code: str) -> None:
    assert language_of(text=text) == Language(code, "script", None)


@pytest.mark.parametrize("text", [None, "", "...", "12", "Stella"])
@pytest.mark.parametrize("language", [None, "", "unknown", "und"])
def test_where_nothing_tells_the_default_is_assumed_and_marked(
    text: str | None, language: str | None
) -> None:
    assert language_of(text=text, language=language) == Language("en", "assumed", None)
    assert language_of(text=text, language=language, default="zh-CN").language in ("zh", None)
    assert language_of(text=text, language=language, default=None) == Language(None, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "Der Lappen liegt auf dem Eisschrank.",
        "Je ne sais pas où il est.",
        "El perro come en la cocina.",
        "Ik ga naar huis.",
        "Ciao, come stai oggi?",
        "Привет, мир",
        "مرحبا",
    ],
)
def test_nothing_is_assumed_against_the_text(text: str) -> None:
    assert language_of(text=text) == Language(None, None, None)


def test_nothing_is_assumed_against_a_language_nobody_can_read() -> None:
    assert language_of(language="klingonese") == Language(None, None, None)
    assert language_of(language="klingonese", text="我们走吧") == Language("zh", "script", None)


def test_a_default_that_is_no_language_is_refused() -> None:
    with pytest.raises(OptionError, match=r"language\.default"):
        ScriptAnnotator(default="klingonese")
