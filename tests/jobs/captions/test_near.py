"""Near duplicates are found exactly, however they are looked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.captions.near import ALIKE, grams, jaccard, near_duplicates

FIFTEEN = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen last"


def test_a_text_is_cut_into_words_and_chinese_characters_without_punctuation_or_case() -> None:
    assert grams("A man, he SPEAKS.") == {("a", "man", "he"), ("man", "he", "speaks")}
    assert grams("他说话。") == {("他", "说", "话")}
    assert grams("Slowly!") == {("slowly",)}
    assert grams("...") == {()}


def test_what_two_sets_have_in_common_is_told_of_all_they_have() -> None:
    first = grams("a b c d e")  # abc bcd cde
    second = grams("a b c d f")  # abc bcd cdf
    assert jaccard(first, second) == 2 / 4


def test_another_last_word_is_no_difference_and_another_in_the_middle_is() -> None:
    last = FIFTEEN.replace("last", "other")  # 12 of 14 n-grams
    middle = FIFTEEN.replace("eight", "other")  # 10 of 16
    assert near_duplicates([FIFTEEN, last, middle]) == [False, True, False]


def test_the_first_of_equal_texts_stays() -> None:
    assert near_duplicates(["他慢慢地说。", "他慢慢地说！", "她说得很快。"]) == [False, True, False]


@given(st.lists(st.text(alphabet="abcd ", min_size=1, max_size=24), max_size=12))
def test_the_index_finds_what_comparing_all_finds(texts: list[str]) -> None:
    kept: list[str] = []
    wanted = []
    for text in texts:
        like = any(jaccard(grams(text), grams(other)) >= ALIKE for other in kept)
        wanted.append(like)
        if not like:
            kept.append(text)
    assert near_duplicates(texts) == wanted
