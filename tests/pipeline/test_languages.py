from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.languages import language_code


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
