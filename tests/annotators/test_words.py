from __future__ import annotations

import json
import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from annotators.words._cepstra import features
from annotators.words._english import spoken
from annotators.words._german import spoken_german
from annotators.words._letters import by_rules
from annotators.words._nuclei import rhythm, spread
from annotators.words._numbers import readings
from annotators.words._signs import with_signs
from annotators.words._sphinx import _WEIGHT_STEP, acoustic_model, dictionary
from annotators.words._syllables import VOWELS, in_phones, in_text
from annotators.words._viterbi import Network
from annotators.words.pocketsphinx import PocketsphinxAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.errors import ClipError
from pipeline.rows import Language, Transcript, Words
from pipeline.text import words as tokens
from tests.make import buzz, clip_of, noise, silence

ANNOTATOR = PocketsphinxAnnotator()
SYLLABLE_S, GAP_S = 0.16, 0.06


def outcome(sound: Samples, text: str, language: str | None = "en") -> Words | ClipError:
    rows = [Transcript(text, text, "given", None), Language(language, "given", None)]
    return ANNOTATOR.annotate([clip_of(sound, rows=rows)])[0]


def aligned(sound: Samples, text: str, language: str | None = "en") -> Words:
    found = outcome(sound, text, language)
    assert isinstance(found, Words)
    return found


def babble(n: int, *, gap_s: float = GAP_S) -> Samples:
    """`n` voiced syllables of SYLLABLE_S that swell and fade, a gap after each, over faint noise."""
    swell = np.hanning(round(SYLLABLE_S * SAMPLE_RATE_HZ)).astype(np.float32)
    syllable = buzz(140, SYLLABLE_S)[: len(swell)] * swell
    sound = np.concatenate([silence(0.3), *[syllable, silence(gap_s)] * n, silence(0.3)])
    return sound + noise(len(sound) / SAMPLE_RATE_HZ, rms=1e-4)[: len(sound)]


SOUND = babble(12) + noise(len(babble(12)) / SAMPLE_RATE_HZ, rms=0.003)


# --- laws of every outcome


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["en", "zh", "de", "th", None]))
def test_any_text_gives_its_tokens_with_times_that_rise_within_the_clip_or_a_reason(
    text: str, language: str | None
) -> None:
    found = outcome(SOUND, text, language)
    if isinstance(found, ClipError):
        assert found.code in {"no_words", "too_many_words"}
        return
    assert [w.word for w in found.words] == tokens(text, language)
    edges = [t for w in found.words for t in (w.start_s, w.end_s)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= len(SOUND) / SAMPLE_RATE_HZ
    assert all(w.n_syllables >= 1 for w in found.words)
    assert found.words_confidence is not None
    assert 0 <= found.words_confidence <= 1


def test_phones_cover_the_clip_without_gaps_and_words_are_made_of_them() -> None:
    found = aligned(SOUND, "a ship in the night, 21 times")
    assert found.phones[0].start_s == 0
    assert found.phones[-1].end_s == len(SOUND) / SAMPLE_RATE_HZ
    assert all(a.end_s == b.start_s for a, b in pairwise(found.phones))
    spoken_phones = [p for p in found.phones if p.phone != "SIL"]
    assert len(spoken_phones) == sum(w.n_phones for w in found.words)
    assert {w.start_s for w in found.words} <= {p.start_s for p in spoken_phones}


@pytest.mark.parametrize(
    ("sound", "text", "code"),
    [
        (SOUND, "", "no_words"),
        (SOUND, "... !? 🙂", "no_words"),
        (SOUND, "word " * 10_000, "too_many_words"),
        (SOUND, "a " * 60, "too_many_words"),
        (SOUND, "好" * 10_000, "too_many_words"),
        (silence(1), "hello", "silent"),
        (noise(0.05), "hello", "too_short"),
    ],
)
def test_what_cannot_be_placed_is_a_row_with_a_reason(sound: Samples, text: str, code: str) -> None:
    found = outcome(sound, text)
    assert isinstance(found, ClipError)
    assert found.code == code


def test_a_text_that_does_not_fit_is_laid_over_the_nuclei() -> None:
    found = aligned(noise(1.0), "incomprehensibilities " * 10)
    assert found.words_source == "nuclei"
    assert {w.aligned_by for w in found.words} == {"nuclei"}


@pytest.mark.parametrize(("text", "language"), [("one two three four", "en"), ("你好世界你好世界", "zh")])
def test_times_do_not_depend_on_level_or_neighbours(text: str, language: str) -> None:
    rows = [Transcript(text, text, "given", None), Language(language, "given", None)]
    clips = [clip_of(gain * SOUND, rows=rows) for gain in (1.0, 0.01, 1.0)]
    together = ANNOTATOR.annotate([clips[0], clip_of(noise(1), rows=rows), clips[1], clips[2]])
    alone = aligned(SOUND, text, language)
    assert together[0] == together[3] == alone
    quiet = together[2]
    assert isinstance(quiet, Words)
    assert quiet.words == alone.words


# --- nuclei


@pytest.mark.parametrize("n", [1, 4, 11])
def test_as_many_nuclei_are_heard_as_syllables_were_made(n: int) -> None:
    assert len(rhythm(babble(n)).nuclei) == n


def test_noise_has_no_nuclei() -> None:
    assert len(rhythm(noise(2, rms=0.1)).nuclei) <= 1


def test_each_character_lies_on_the_syllable_that_was_made_for_it() -> None:
    found = aligned(babble(8), "春眠不觉晓处处闻", "zh")
    for i, word in enumerate(found.words):
        middle_s = 0.3 + i * (SYLLABLE_S + GAP_S) + SYLLABLE_S / 2
        assert word.start_s < middle_s < word.end_s
    assert found.words_confidence == 0.5


def test_no_character_reaches_across_a_pause() -> None:
    sound = np.concatenate([babble(3), silence(0.5), babble(5)])
    found = aligned(sound, "春眠不觉晓处处闻", "zh")
    assert found.words[2].end_s < 1.2
    assert found.words[3].start_s > 1.5


@settings(deadline=None)
@given(st.integers(1, 400))
def test_any_number_of_syllables_is_spread_in_order_over_the_speech(n: int) -> None:
    spans = spread(rhythm(SOUND), n)
    edges = [t for span in spans for t in span]
    assert len(spans) == n
    assert all(b >= a - 1e-9 for a, b in pairwise(edges))


# --- how words are said


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=30))
def test_any_letters_can_be_said_with_phones_the_model_has(word: str) -> None:
    assert set(by_rules(word)) <= acoustic_model().index.keys()
    assert by_rules(word)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_any_word_has_a_pronunciation_with_phones_the_model_has(word: str) -> None:
    assert all(way and set(way) <= acoustic_model().index.keys() for way in spoken(word).ways)


def test_spelling_rules_agree_with_the_dictionary_on_most_syllable_counts() -> None:
    known = [(w, ways[0].split()) for w, ways in sorted(dictionary().items())[::97] if w.isalpha()]
    right = sum(in_phones(by_rules(w)) == sum(p in VOWELS for p in phones) for w, phones in known)
    assert right / len(known) > 0.88


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("7", "seven"), ("42", "forty two"), ("101", "one hundred one"),
        ("1,234", "one thousand two hundred thirty four"),
        ("1984", "nineteen eighty four"), ("1906", "nineteen oh six"), ("1900", "nineteen hundred"),
        ("2007", "two thousand seven"), ("1990s", "nineteen nineties"), ("21st", "twenty first"),
        ("30th", "thirtieth"), ("12th", "twelfth"), ("3.5", "three point five"), ("5%", "five percent"),
        ("$3.50", "three dollars fifty"), ("$1", "one dollar"), ("007", "oh oh seven"),
        ("2,000,000", "two million"),
        ("1" * 20, " ".join(["one"] * 20)),
    ],
)  # fmt: skip
def test_figures_are_read_as_people_read_them(text: str, words: str) -> None:
    found = readings(text)
    assert found is not None
    assert tuple(words.split()) in found


@given(st.integers(0, 10**15 - 1))
def test_every_whole_number_has_a_reading_of_known_words(number: int) -> None:
    found = readings(f"{number:,}")
    assert found
    assert all(word in dictionary() for reading in found for word in reading)


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("Dr", "D AA K T ER"), ("FBI", "EH F B IY AY"), ("US", "Y UW EH S"), ("us", "AH S"),
        ("don’t", "D OW N T"),
        ("café", "K AE F EY"), ("mp3", "EH M P IY TH R IY"), ("blogger's", "B L AO G ER Z"),
        ("zorbs", "Z AO R B Z"),
    ],
)  # fmt: skip
def test_words_may_be_said_as_people_say_them(word: str, phones: str) -> None:
    assert tuple(phones.split()) in spoken(word).ways


def test_a_word_says_whether_a_dictionary_or_rules_gave_its_sound() -> None:
    found = aligned(SOUND, "the zyxtl 21st")
    assert [w.aligned_by for w in found.words] == ["dictionary", "rules", "dictionary"]


def test_signs_that_are_said_go_with_their_word() -> None:
    text = "R & B cost $5, or 50 % of #1 (AT&T)."
    assert with_signs(text, tokens(text)) == ["R", "&B", "cost", "$5", "or", "50%", "of", "#1", "AT", "&T"]


@pytest.mark.parametrize(
    ("word", "language", "n"),
    [
        ("好", "zh", 1), ("か", "ja", 1), ("안녕", "ko", 2), ("Straße", "de", 2), ("привет", "ru", 2),
        ("hello", "zh", 2), ("café", "fr", 2), ("110", "zh", 3), ("strč", "cs", 1),
    ],
)  # fmt: skip
def test_syllables_of_a_written_word(word: str, language: str, n: int) -> None:
    assert in_text(word, language) == n


# --- the model


def test_likelihoods_are_those_of_the_mixtures_as_written_down() -> None:
    """One state, one frame, by the definition: per stream the log of a weighted sum of Gaussians."""
    model = acoustic_model()
    frame = features(SOUND)[40:41]
    senone = int(model.senones[model.index["AA"], 1])
    codebook = int(model._codebook[senone])
    by_hand = 0.0
    for stream in range(3):
        squares, means = model._slopes[codebook, stream][:13], model._slopes[codebook, stream][13:]
        x = frame[0, stream].astype(np.float64)
        logs = x**2 @ squares + x @ means + model._offsets[codebook, stream]
        by_hand += math.log(np.sum(np.exp(logs) * model._weights[stream, senone]))
    found = model.score(frame, np.array([senone]))[0, 0]
    assert found == pytest.approx(by_hand, rel=1e-4)


def test_mixture_weights_of_every_state_sum_to_one_but_for_their_rounding_down() -> None:
    sums = acoustic_model()._weights.sum(axis=2)
    assert np.all(sums <= 1)
    assert np.all(sums >= math.exp(-_WEIGHT_STEP))


def test_a_narrow_beam_that_finds_a_path_finds_the_best_one() -> None:
    network = Network(acoustic_model(), [spoken(w).ways for w in ("read", "a", "live", "record")])
    heard = features(SOUND)
    wide, narrow = network.search(heard, math.inf), network.search(heard, 300.0)
    assert wide is not None
    assert narrow == wide


def test_without_room_for_the_phones_there_is_no_path() -> None:
    network = Network(acoustic_model(), [spoken("incomprehensibilities").ways])
    assert network.search(features(noise(0.2)), math.inf) is None


# --- German, by the English model


@pytest.mark.parametrize(
    ("word", "syllables", "first"),
    [("Straße", 2, "SH"), ("Wochenenden", 4, "V"), ("Eisschrank", 2, "AY"), ("über", 2, "IH"),
     ("ich", 1, "IH"), ("hochgetragen", 4, "HH"), ("Zeitung", 2, "T"), ("Quelle", 2, "K"),
     ("Nation", 2, "N")],
)  # fmt: skip
def test_german_is_read_with_its_syllables(word: str, syllables: int, first: str) -> None:
    way = spoken_german(word).ways[0]
    assert (in_phones(way), way[0]) == (syllables, first)


@given(st.text(max_size=60))
def test_every_german_word_is_said_in_phones_the_model_has(word: str) -> None:
    (way,) = spoken_german(word).ways
    assert way
    assert set(way) <= set(acoustic_model().names)


# --- real speech


def _timit() -> list[dict[str, object]]:
    root = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / "timit"
    clips = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{**c, "audio": str(root / c["audio"])} for c in clips]


@pytest.mark.real
def test_word_times_are_near_hand_marked_ones_and_the_right_text_fits_best() -> None:
    clips = _timit()
    errors_s: list[float] = []
    for clip, other in zip(clips, [*clips[1:], clips[0]], strict=True):
        sound = sf.read(clip["audio"], dtype="float32")[0]
        found = aligned(sound, str(clip["text"]))
        marked = clip["words"]
        assert isinstance(marked, list)
        for word, mark in zip(found.words, marked, strict=True):
            errors_s += [abs(word.start_s - mark["start"]), abs(word.end_s - mark["end"])]
        assert found.words_confidence is not None
        assert found.words_confidence > 0.6
        if len(errors_s) > 300:
            continue
        wrong = outcome(sound, str(other["text"]))
        if isinstance(wrong, Words):
            assert wrong.words_confidence is not None
            assert wrong.words_confidence < 0.5
    assert np.median(errors_s) <= 0.015
    assert np.mean(np.array(errors_s) <= 0.05) >= 0.86


@pytest.mark.real
def test_german_word_times_are_near_those_of_its_labels() -> None:
    root = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / "emodb"
    lines = map(json.loads, (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    errors_s: list[float] = []
    for clip in [line for line in lines if line.get("emphasis_align_cost", 9) <= 4][::5]:
        found = aligned(sf.read(root / clip["audio"], dtype="float32")[0], clip["text"], "de")
        for word, mark in zip(found.words, clip["emphasis"], strict=True):
            errors_s += [abs(word.start_s - mark["start"]), abs(word.end_s - mark["end"])]
    assert np.median(errors_s) <= 0.02
    assert np.mean(np.array(errors_s) <= 0.05) >= 0.85
