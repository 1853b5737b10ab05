from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from annotators.transcript.pocketsphinx import PocketsphinxAnnotator
from pipeline.annotator import Skip
from pipeline.clip import Clip, Given, Samples
from pipeline.rows import Language, Transcript
from tests.make import buzz, clip_of, noise, silence, tone

ENGLISH = Language("en", "given", None)


@pytest.fixture(scope="module")
def annotator() -> PocketsphinxAnnotator:
    return PocketsphinxAnnotator()


def vowels(*formants_hz: tuple[float, float, float]) -> Samples:
    """Vowels of half a second between quarter seconds of room noise: enough to be taken for speech."""
    parts = [noise(0.25, rms=0.001)]
    for number, formants in enumerate(formants_hz):
        voice = np.asarray(buzz(110 + 15 * number, 0.5), dtype=np.float64)
        for formant_hz in formants:
            radius = np.exp(-np.pi * 100 / 16_000)
            voice = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * formant_hz / 16_000), radius**2], voice)
        voice *= np.hanning(voice.size) / np.max(np.abs(voice)) / 2
        parts += [voice.astype(np.float32), noise(0.25, rms=0.001, seed=number)]
    return np.concatenate(parts)


AH, EE, OO = (700.0, 1200.0, 2600.0), (300.0, 2300.0, 3000.0), (320.0, 900.0, 2300.0)


def english(samples: Samples, gain: float = 1.0) -> Clip:
    return clip_of((gain * samples).astype(np.float32), rows=[ENGLISH])


@pytest.mark.parametrize(
    ("text", "transcript"),
    [
        ("WE CALL\nIT BEAR ", "We call it bear"),
        ("人生就像剥洋葱，总有一片会让你流泪。", "人生就像剥洋葱，总有一片会让你流泪。"),
        ("Der Lappen liegt.", "Der Lappen liegt."),
        ("<b>7</b>", "<b>7</b>"),
    ],
)
def test_given_text_in_any_language_is_the_transcript_and_is_kept_verbatim(
    text: str, transcript: str
) -> None:
    clip = clip_of(given=Given(text=text))
    assert PocketsphinxAnnotator.from_given(clip) == Transcript(transcript, text, "given", None)


@pytest.mark.parametrize("text", [None, "", " \n", "...?!", "\u200b", "—"])
def test_text_without_a_word_is_not_given(text: str | None) -> None:
    assert PocketsphinxAnnotator.from_given(clip_of(given=Given(text=text))) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_no_given_text_makes_an_empty_transcript(text: str) -> None:
    row = PocketsphinxAnnotator.from_given(clip_of(given=Given(text=text)))
    if row is not None:
        assert row.transcript
        assert row.transcript_verbatim == "".join("?" if "\ud800" <= c <= "\udfff" else c for c in text)


def test_given_text_needs_no_sound(annotator: PocketsphinxAnnotator) -> None:
    assert annotator.annotate([clip_of(given=Given(text="Hello"))]) == [
        Transcript("Hello", "Hello", "given", None)
    ]


@pytest.mark.parametrize("code", ["zh", "de", None])
def test_only_english_is_recognised(annotator: PocketsphinxAnnotator, code: str | None) -> None:
    (outcome,) = annotator.annotate([clip_of(vowels(AH, EE), rows=[Language(code, None, None)])])
    assert isinstance(outcome, Skip)


@pytest.mark.parametrize(
    "samples",
    [
        silence(2),
        silence(0),
        noise(0.5),
        noise(0.03),
        tone(250, 2),
        np.full(16_000, 0.3, np.float32),
        buzz(150, 1),
    ],
    ids=["silence", "empty", "noise", "short", "tone", "dc", "buzz"],
)
def test_no_words_are_heard_where_there_are_none(annotator: PocketsphinxAnnotator, samples: Samples) -> None:
    (outcome,) = annotator.annotate([english(samples)])
    assert isinstance(outcome, Skip)


def test_a_clip_is_heard_the_same_whatever_was_heard_before(annotator: PocketsphinxAnnotator) -> None:
    clips = [english(vowels(AH, OO)), english(vowels(EE), gain=0.01), english(silence(1))]
    outcomes = annotator.annotate(clips)
    assert outcomes == annotator.annotate(clips[::-1])[::-1]
    assert outcomes[:1] == PocketsphinxAnnotator().annotate(clips[:1])
    assert isinstance(outcomes[0], Transcript)


def test_the_level_of_a_clip_does_not_change_its_words(annotator: PocketsphinxAnnotator) -> None:
    loud, quiet = annotator.annotate([english(vowels(AH, OO)), english(vowels(AH, OO), gain=1 / 256)])
    assert loud == quiet


def test_recognised_text_says_so_and_has_words_only(annotator: PocketsphinxAnnotator) -> None:
    (row,) = annotator.annotate([english(vowels(AH, OO))])
    assert isinstance(row, Transcript)
    assert row.transcript_source == "pocketsphinx"
    assert row.transcript_confidence is not None
    assert 0 <= row.transcript_confidence <= 1
    assert row.transcript[0].isupper()
    assert not set(row.transcript_verbatim) & set("<>[]()0123456789")


@pytest.mark.real
def test_most_words_of_read_speech_are_recognised(annotator: PocketsphinxAnnotator) -> None:
    corpus = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / "timit"
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text().splitlines()[:10:2]]
    sounds = [soundfile.read(corpus / row["audio"], dtype="float32")[0] for row in rows]
    wrong = total = 0
    for row, outcome in zip(rows, annotator.annotate([english(sound) for sound in sounds]), strict=True):
        assert isinstance(outcome, Transcript)
        expected, heard = (set(t.lower().strip(".?!").split()) for t in (row["text"], outcome.transcript))
        wrong, total = wrong + len(expected - heard), total + len(expected)
    assert wrong / total < 0.5
