"""How varied texts are, with answers worked out by hand."""

from __future__ import annotations

import sys

import pytest

from jobs.captions.diversity import BLEU_SAMPLE, distinct, diversity, self_bleu
from jobs.captions.sample import Sample


def test_distinct_n_counts_different_n_grams_of_all() -> None:
    texts = ["a man speaks", "a man sings"]
    assert distinct(texts, 1) == 4 / 6
    assert distinct(texts, 2) == 3 / 4
    assert distinct(texts, 3) == 2 / 2
    assert distinct(["one"], 2) == 0.0


def test_self_bleu_is_a_hundred_where_all_say_the_same_and_nothing_where_none_shares_a_word() -> None:
    assert self_bleu(["the old man speaks slowly today"] * 3, "en") == pytest.approx(100.0)
    assert self_bleu(["one two three four five", "six seven eight nine ten"], "en") == pytest.approx(0.0)
    assert self_bleu(["他慢慢地说着这句话", "她很快地唱了那首歌"], "zh") < 30.0  # type: ignore[operator]
    assert self_bleu(["alone"], "en") is None


def test_self_bleu_is_what_sacrebleu_says_of_one_pair() -> None:
    """Four of five words and two of four pairs: no more n-grams are shared than BLEU's smoothing knows."""
    from sacrebleu.metrics.bleu import BLEU

    first, second = "a man speaks slowly here", "a man speaks loudly there"
    bleu = BLEU(tokenize="13a", effective_order=True)
    wanted = (bleu.sentence_score(first, [second]).score + bleu.sentence_score(second, [first]).score) / 2
    assert self_bleu([first, second], "en") == pytest.approx(wanted)


def test_without_the_library_there_is_no_self_bleu_and_the_rest_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.bleu", None)
    sample: Sample[str] = Sample(10)
    sample.add("1", "a man speaks")
    sample.add("2", "a man speaks")
    found = diversity(sample, "en")
    assert found.self_bleu is None
    assert found.self_bleu_texts == 0
    assert found.near_duplicates == 0.5
    assert found.distinct == (0.5, 0.5, 0.5)


def test_a_sample_is_the_same_whatever_the_order_and_another_with_another_seed() -> None:
    texts = [(str(i), f"text {i}") for i in range(500)]

    def sampled(order: list[tuple[str, str]], seed: int) -> list[str]:
        sample: Sample[str] = Sample(50, seed)
        for id, text in order:
            sample.add(id, text)
        return sample.kept

    assert sampled(texts, 0) == sampled(texts[::-1], 0)
    assert len(sampled(texts, 0)) == 50
    assert sampled(texts, 0) != sampled(texts, 1)
    assert sampled(texts[:3], 0) != []
    assert BLEU_SAMPLE < 500
