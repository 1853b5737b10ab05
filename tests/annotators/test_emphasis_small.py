"""The small detector names a word that stands out, stays silent where none does, and never contradicts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st

from annotators._small import facts
from annotators.emphasis._features import N_NUMBERS, features
from annotators.emphasis._units import units
from annotators.emphasis.small import WEIGHTS, SmallAnnotator
from annotators.pitch.dio import DioAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Given, Samples
from pipeline.rows import Emphasis, Language, Row, Transcript, Word, Words
from tests.make import buzz, clip_of, noise, silence

ANNOTATOR = SmallAnnotator()
EAGER = SmallAnnotator(min_probability=0.0)
SYLLABLE_S = 0.22


def sentence(
    pitches: Sequence[float], levels: Sequence[float], lengths: Sequence[float]
) -> tuple[Samples, list[Word]]:
    """A word of one voiced syllable for each pitch, over faint noise."""
    parts, words, at = [silence(0.2)], [], 0.2
    for i, (f0_hz, level, length) in enumerate(zip(pitches, levels, lengths, strict=True)):
        swell = np.hanning(round(length * SAMPLE_RATE_HZ)).astype(np.float32) ** 0.5
        parts.append(buzz(f0_hz, length, peak=level)[: len(swell)] * swell)
        words.append(Word(f"word{i}", at, at + length, 1, 3, "dictionary"))
        at += length
    sound = np.concatenate([*parts, silence(0.2)])
    return sound + noise(len(sound) / SAMPLE_RATE_HZ, rms=1e-4)[: len(sound)], words


def stressed(place: int, n: int = 7) -> tuple[Samples, list[Word]]:
    pitches = [130.0 - 2 * i for i in range(n)]
    levels, lengths = [0.2] * n, [SYLLABLE_S] * n
    pitches[place], levels[place], lengths[place] = 1.5 * pitches[place], 0.4, 1.6 * SYLLABLE_S
    return sentence(pitches, levels, lengths)


def clip_with(
    sound: Samples,
    words: Sequence[Word],
    text: str | None = None,
    language: str = "en",
    given: str | None = None,
) -> Clip:
    text = " ".join(w.word for w in words) if text is None else text
    pitch = DioAnnotator().annotate([clip_of(sound)])[0]
    rows: list[Row] = [
        Words(tuple(words), (), "pocketsphinx", 0.9),
        Transcript(text, text, "given", None),
        Language(language, "given", None),
        pitch,
    ]
    return clip_of(sound, rows=rows, given=Given(emphasis_word=given))


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_word_that_is_higher_louder_and_longer_is_named(place: int) -> None:
    found = ANNOTATOR.annotate([clip_with(*stressed(place))])[0]
    assert (found.emphasis_word, found.emphasis_index) == (f"word{place}", place)
    assert found.emphasis_source == "small"
    assert found.emphasis_confidence is not None
    assert facts(WEIGHTS)["min_probability"] <= found.emphasis_confidence <= 1
    assert int(np.argmax(found.emphasis_scores)) == place


def test_scores_are_there_where_no_word_is_named() -> None:
    clip = clip_with(*stressed(3))
    silent = SmallAnnotator(min_probability=1.0).annotate([clip])[0]
    assert (silent.emphasis_word, silent.emphasis_index, silent.emphasis_confidence) == (None, None, None)
    assert silent.emphasis_scores == EAGER.annotate([clip])[0].emphasis_scores
    assert len(silent.emphasis_scores) == 7


def test_what_is_given_stands() -> None:
    clip = clip_with(*stressed(3), given="word1")
    assert ANNOTATOR.annotate([clip])[0] == Emphasis("word1", 1, "given", None)


def test_one_word_stands_out_of_nothing() -> None:
    sound, words = sentence([120], [0.3], [0.4])
    assert ANNOTATOR.annotate([clip_with(sound, words)])[0] == Emphasis(None, None, "small", None)


def test_batch_is_single() -> None:
    clips = [clip_with(*stressed(place)) for place in (0, 2, 4)]
    assert EAGER.annotate(clips) == [EAGER.annotate([clip])[0] for clip in clips]


def test_the_level_changes_nothing_of_note() -> None:
    sound, words = stressed(2)
    here, softer = (EAGER.annotate([clip_with(s, words)])[0] for s in (sound, 0.4 * sound))
    assert softer.emphasis_word == here.emphasis_word
    assert softer.emphasis_scores == pytest.approx(here.emphasis_scores, abs=0.2)


def test_a_chinese_word_is_all_its_characters() -> None:
    sound, words = stressed(3)
    text = "我们邻居买了猫"
    characters = [Word(c, w.start_s, w.end_s, 1, 0, "nuclei") for c, w in zip(text, words, strict=True)]
    found = EAGER.annotate([clip_with(sound, characters, text, "zh")])[0]
    assert (found.emphasis_word, found.emphasis_index) == ("邻居", 2)
    assert found.emphasis_scores[2] == found.emphasis_scores[3]
    assert len(found.emphasis_scores) == len(text)


@sampled(st.lists(st.sampled_from(["我们", "邻居", "买", "了", "的", "猫", "。", "A", "3.5"]), min_size=1))
def test_units_hold_every_token_once_and_in_order(parts: list[str]) -> None:
    from pipeline.text import words as tokens

    text = "".join(parts)
    words = [Word(t, i, i + 1, 1, 0, "nuclei") for i, t in enumerate(tokens(text, "zh"))]
    found = units(words, text, "zh")
    assert [i for unit in found for i in range(unit.first, unit.last + 1)] == list(range(len(words)))
    assert all(unit.start_s == unit.first and unit.end_s == unit.last + 1 for unit in found)


@sampled(st.integers(1, 12), st.integers(0, 99), st.booleans())
def test_features_are_finite_whatever_is_heard(n: int, seed: int, voiced: bool) -> None:
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.uniform(0, 2, 2 * n))
    words = [
        Word("a", float(a), float(b), 1, 0, "nuclei") for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]
    f0_hz = 100 + 50 * rng.random(400) if voiced else np.zeros(400)
    for sound in (noise(2.0, seed=seed), silence(2.0), noise(0.02)):
        found = features(sound, units(words, "", "en"), f0_hz, 0.005)
        assert found.numbers.shape == (n, N_NUMBERS)
        assert np.isfinite(found.numbers).all()
        assert np.isfinite(found.pictures).all()


def test_without_pitch_a_row_is_made_all_the_same() -> None:
    sound, words = stressed(3)
    rows: list[Row] = [Words(tuple(words), (), "pocketsphinx", 0.9)]
    assert len(EAGER.annotate([clip_of(sound, rows=rows)])[0].emphasis_scores) == len(words)


def test_the_card_tells_what_it_reaches() -> None:
    card = json.loads(WEIGHTS.with_suffix(".json").read_text("utf-8"))
    assert card["facts"]["figures"]["listened"]["top1"]["value"] > 0.6
    assert card["facts"]["figures"]["listened"]["correlation"]["value"] > 0.75
    assert WEIGHTS.stat().st_size < 2_000_000
