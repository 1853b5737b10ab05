"""Laws of windows: where a long clip is cut, when a window is decoded again, what windows say together."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.transcript._whisper_fallback import Attempt, is_silence, joined, settled, stands
from annotators.transcript._whisper_windows import WINDOW, cut, windows
from pipeline.vad import HOP_SAMPLES, speech_frames
from tests.make import silence
from tests.tiny.whisper import syllables


def attempt(
    text: str = "a b",
    avg_logprob: float = -0.5,
    no_speech_prob: float = 0.0,
    compression_ratio: float = 1.0,
    temperature: float = 0.0,
    n_tokens: int = 3,
) -> Attempt:
    return Attempt(text, (0,) * n_tokens, avg_logprob, no_speech_prob, compression_ratio, temperature)


@given(st.lists(st.tuples(st.integers(1, 4000), st.booleans()), max_size=12), st.integers(0, 99))
def test_windows_hold_all_speech_once_and_fit(runs: list[tuple[int, bool]], seed: int) -> None:
    speech = np.concatenate([np.full(n, spoken) for n, spoken in runs] or [np.zeros(0, bool)])
    power = np.random.default_rng(seed).random(len(speech)).astype(np.float32)
    spans = cut(speech, power)
    assert all(0 < end - start <= WINDOW for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(speech[start:end].any() for start, end in spans)
    assert sum(int(speech[start:end].sum()) for start, end in spans) == speech.sum()


def test_a_window_ends_in_the_longest_pause_of_its_last_third() -> None:
    speech = np.ones(5000, bool)
    speech[1000:1400] = speech[2100:2120] = speech[2500:2560] = False
    assert cut(speech, np.ones(5000, np.float32)) == [(0, 2530), (2510 + 20, 5000)]


def test_without_a_pause_a_window_ends_where_it_is_quietest() -> None:
    power = np.ones(4000, np.float32)
    power[[500, 2345, 3500]] = 0.0
    assert cut(np.ones(4000, bool), power) == [(0, 2345), (2345, 4000)]


def test_a_clip_of_30_s_is_one_window_as_it_is() -> None:
    assert windows(syllables(30, 1)) == [slice(0, 480_000)]
    assert len(windows(syllables(30.01, 1))) == 2


def test_windows_of_sound_hold_every_frame_of_speech() -> None:
    sound = np.concatenate([silence(35), syllables(70, 2), silence(31), syllables(3, 1)])
    heard = np.zeros(len(sound), bool)
    for piece in windows(sound):
        assert piece.stop - piece.start <= 480_000
        heard[piece] = True
    frames = np.repeat(speech_frames(sound), HOP_SAMPLES)[: len(sound)]
    assert heard[frames].all()
    assert heard.mean() < 0.62


REPEATS = attempt(compression_ratio=2.5)
DOUBTS = attempt(avg_logprob=-1.1)
SILENT = attempt(avg_logprob=-1.1, no_speech_prob=0.7)


@pytest.mark.parametrize(
    ("tried", "verdict"),
    [
        (attempt(), True),
        (attempt(compression_ratio=2.4), True),
        (attempt(avg_logprob=-1.0), True),
        (attempt(no_speech_prob=0.9), True),
        (REPEATS, False),
        (DOUBTS, False),
        (replace(DOUBTS, no_speech_prob=0.6), False),
        (SILENT, True),
        (replace(SILENT, compression_ratio=9.0), True),
        (replace(REPEATS, no_speech_prob=0.9), False),
    ],
)
def test_text_stands_unless_it_repeats_itself_or_is_unlikely_where_somebody_speaks(
    tried: Attempt, verdict: bool
) -> None:
    assert stands(tried) is verdict


def test_silence_is_what_whisper_doubts_in_both_ways() -> None:
    assert [is_silence(a) for a in (SILENT, DOUBTS, attempt(no_speech_prob=0.9))] == [True, False, False]


def test_where_none_stands_the_likeliest_that_does_not_repeat_itself_is_kept() -> None:
    likelier = attempt(avg_logprob=-1.05, temperature=0.2)
    assert settled([REPEATS, likelier, DOUBTS]) is likelier
    assert settled([REPEATS, DOUBTS, attempt()]) == attempt()
    assert settled([REPEATS, replace(REPEATS, avg_logprob=-0.4)]).avg_logprob == -0.4


def test_windows_are_joined_as_the_language_is_written() -> None:
    parts = [attempt("天气"), attempt("很好")]
    assert [getattr(joined(parts, code), "text", None) for code in ("zh", "ja", "en", None)] == [
        "天气很好", "天气很好", "天气 很好", "天气 很好",
    ]  # fmt: skip


def test_the_mean_over_windows_counts_every_token_and_the_worst_window_the_rest() -> None:
    parts = [
        attempt("a", -0.2, 0.1, 1.5, n_tokens=9),
        attempt("b", -0.8, 0.3, 1.0, n_tokens=29),
        attempt("Thank you.", -1.2, 0.99, 1.0),
        attempt("", -0.1, 0.4, 0.0, n_tokens=0),
    ]
    found = joined(parts, "en")
    assert found is not None
    assert found.text == "a b"
    assert found.avg_logprob == pytest.approx((10 * -0.2 + 30 * -0.8) / 40)
    assert (found.no_speech_prob, found.compression_ratio) == (0.3, 1.5)
    assert found.confidence == pytest.approx(math.exp(found.avg_logprob))


def test_windows_of_silence_say_nothing() -> None:
    assert joined([SILENT, attempt("", n_tokens=0)], "en") is None
    assert joined([], "en") is None
