"""Words nobody spoke are not believed; words that are given, or that people do say, are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.export.hallucinated import suspicion

HEARD: dict[str, Any] = {"transcript_source": "whisper", "language": "en", "duration_s": 6.0}


@pytest.mark.parametrize(
    "row",
    [
        {"transcript": "you know " * 40},
        {"transcript": "No no no no no no no."},
        {"transcript": "Thank you for watching.", "no_speech_prob": 0.9, "avg_logprob": -1.4},
        {"transcript": "fine", "compression_ratio": 3.1},
        {"transcript": "one two three four five six seven eight nine ten eleven twelve", "duration_s": 0.9},
        {"transcript": "You", "duration_s": 25.0},
        {"transcript": "他说他说他说他说他说他说他说", "language": "zh"},
    ],
)
def test_what_cannot_have_been_said_is_not_believed(row: dict[str, Any]) -> None:
    assert suspicion(HEARD | row) is not None
    assert suspicion(HEARD | row | {"transcript_source": "given"}) is None


@pytest.mark.parametrize(
    "row",
    [
        {"transcript": "The weather will be cold tomorrow, with rain in the west and a little snow."},
        {"transcript": "No, no, no!"},
        {"transcript": "Never, never, never give in."},
        {"transcript": "Yes.", "duration_s": 0.4},
        {"transcript": "明天会很冷，西边有雨，北边有小雪。", "language": "zh", "duration_s": 3.0},
        {"transcript": "Thank you.", "no_speech_prob": 0.9, "avg_logprob": -0.3, "duration_s": 1.0},
        {"transcript": None},
        {},
    ],
)
def test_what_people_say_is_believed(row: dict[str, Any]) -> None:
    assert suspicion(HEARD | row) is None


@given(st.text(), st.floats(0, 1e6), st.sampled_from(["en", "zh", None]))
def test_any_text_has_an_answer(text: str, seconds: float, language: str | None) -> None:
    found = suspicion(HEARD | {"transcript": text, "duration_s": seconds, "language": language})
    assert found is None or found.isprintable()
