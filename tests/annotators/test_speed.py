from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.speed.counts import CountsAnnotator
from pipeline.rows import Language, Speed, Word, Words
from tests.make import clip_of

Spans = list[tuple[float, float]]


def speed(words: list[Word], language: str | None = "en", *, min_pause_s: float = 0.1) -> Speed:
    rows = [Words(tuple(words), (), "test", None), Language(language, "given", None)]
    return CountsAnnotator(min_pause_s=min_pause_s).annotate([clip_of(rows=rows)])[0]


def said(spans: Spans, text: str = "word", *, n_syllables: int = 2, n_phones: int = 5) -> list[Word]:
    return [Word(text, a, b, n_syllables, n_phones, "dictionary") for a, b in spans]


@st.composite
def spans(draw: st.DrawFn) -> Spans:
    """Words of 0.05..1 s with gaps of 0..1 s."""
    at, found = draw(st.floats(0, 2)), []
    for _ in range(draw(st.integers(1, 20))):
        end = at + draw(st.floats(0.05, 1))
        found.append((at, end))
        at = end + draw(st.sampled_from([0.0, 0.05, 0.2, 1.0]))
    return found


def test_counts_are_divided_by_the_time_of_speech() -> None:
    found = speed(said([(0.5, 1.0), (1.0, 1.5), (2.5, 3.5)]))
    assert found.speech_s == pytest.approx(2.0)
    assert found.pause_share == pytest.approx(1 / 3)
    assert found.words_per_s == pytest.approx(3 / 2)
    assert found.syllables_per_s == pytest.approx(6 / 2)
    assert found.phones_per_s == pytest.approx(15 / 2)
    assert found.characters_per_s is None


@given(spans())
def test_longer_pauses_do_not_change_the_rate(words: Spans) -> None:
    gaps = [0.0] + [b[0] - a[1] for a, b in pairwise(words)]
    late, shift = [], 0.0
    for gap, (start, end) in zip(gaps, words, strict=True):
        shift += 0.7 if gap >= 0.15 else 0.0
        late.append((start + shift, end + shift))
    once, again = speed(said(words)), speed(said(late))
    assert again.words_per_s == pytest.approx(once.words_per_s)
    assert again.speech_s == pytest.approx(once.speech_s)


@given(spans(), st.floats(0.25, 4))
def test_speech_played_faster_is_faster_by_as_much(words: Spans, factor: float) -> None:
    played = [(a / factor, b / factor) for a, b in words]
    once, faster = speed(said(words)), speed(said(played), min_pause_s=0.1 / factor)
    assert once.syllables_per_s is not None
    assert faster.syllables_per_s == pytest.approx(factor * once.syllables_per_s)
    assert faster.pause_share == pytest.approx(once.pause_share, abs=1e-6)


@given(spans())
def test_speech_and_pauses_are_all_there_is_between_the_first_and_the_last_word(words: Spans) -> None:
    found = speed(said(words))
    whole_s = words[-1][1] - words[0][0]
    assert 0 <= found.pause_share <= 1
    assert found.speech_s == pytest.approx(whole_s * (1 - found.pause_share))


def test_a_gap_is_a_pause_from_the_least_length_on() -> None:
    words = said([(0.0, 1.0), (1.25, 2.25)])
    assert speed(words, min_pause_s=0.25).speech_s == pytest.approx(2.0)
    assert speed(words, min_pause_s=0.3).speech_s == pytest.approx(2.25)


@pytest.mark.parametrize("language", ["zh", "zh-CN", "yue", None])
def test_chinese_is_counted_in_characters_and_not_in_words(language: str | None) -> None:
    words = said([(0.0, 0.5), (0.5, 1.0)], "好", n_syllables=1, n_phones=0)
    found = speed(words, language)
    assert found.characters_per_s == pytest.approx(2.0)
    assert found.syllables_per_s == pytest.approx(2.0)
    assert found.words_per_s is None
    assert found.phones_per_s is None


def test_a_foreign_word_in_chinese_is_no_character() -> None:
    words = [*said([(0.0, 0.5)], "好", n_phones=0), *said([(0.5, 1.0)], "OK", n_phones=0)]
    assert speed(words, "zh").characters_per_s == pytest.approx(1.0)


def test_phones_are_null_where_any_word_has_none() -> None:
    words = [*said([(0.0, 0.5)]), *said([(0.5, 1.0)], n_phones=0)]
    assert speed(words).phones_per_s is None


@pytest.mark.parametrize("words", [[], said([(1.0, 1.0)])])
def test_rates_are_null_where_no_time_passed(words: list[Word]) -> None:
    found = speed(words)
    assert (found.words_per_s, found.syllables_per_s, found.phones_per_s) == (None, None, None)
    assert found.speech_s == 0
    assert found.pause_share == 0
