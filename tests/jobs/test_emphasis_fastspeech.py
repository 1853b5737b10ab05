"""FastSpeech 2's predictions change on the phones of the stressed word and on no other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from jobs.train.emphasis_data.fastspeech import ENERGY_SPREAD, PITCH_SPREAD, Voice
from jobs.train.emphasis_data.world import Stress
from pipeline.errors import ClipError
from tests.tiny import fastspeech2 as tiny

WORDS = ["two", "wolves", "vanished"]
STRESS = Stress(pitch=1.2, amplitude=1.5, duration=1.5)
HOP = 4


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice(tiny.model(), tiny.vocoder(), tiny.phones)


def heard(voice: Voice, stressed: int | None) -> dict[str, Any]:
    """What the predictors answer once the word is stressed."""
    found: dict[str, Any] = {}
    model = voice.model
    hook = model.register_forward_hook(lambda module, inputs, output: found.update(output))
    try:
        voice.say(WORDS, stressed, STRESS)
    finally:
        hook.remove()
    return found


def test_the_stressed_word_alone_is_longer(voice: Voice) -> None:
    _, plain = voice.say(WORDS, None, Stress())
    sound, ends = voice.say(WORDS, 1, STRESS)
    lengths, longer = np.diff([0, *plain]), np.diff([0, *ends])
    assert plain == [n * tiny.FRAMES * HOP for n in (3, 9, 17)]
    assert longer[1] == STRESS.duration * lengths[1]
    assert list(longer[[0, 2]]) == list(lengths[[0, 2]])
    assert len(sound) == ends[-1]


def test_its_pitch_and_energy_alone_are_raised(voice: Voice) -> None:
    before, after = heard(voice, None), heard(voice, 1)
    mine = np.zeros(17, bool)
    mine[3:9] = True
    for name, by in (
        ("pitch_outputs", math.log2(STRESS.pitch) / PITCH_SPREAD),
        ("energy_outputs", math.log(STRESS.amplitude) / ENERGY_SPREAD),
    ):
        moved = (after[name] - before[name])[0, :, 0].numpy()
        assert moved[mine] == pytest.approx(by, abs=1e-5)
        assert moved[~mine] == pytest.approx(0, abs=1e-6)


def test_what_was_stressed_leaves_no_trace_in_the_voice(voice: Voice) -> None:
    one, _ = voice.say(WORDS, None, Stress())
    voice.say(WORDS, 2, STRESS)
    two, _ = voice.say(WORDS, None, Stress())
    assert np.array_equal(one, two)


def test_a_sentence_without_phones_fails_with_a_reason(voice: Voice) -> None:
    with pytest.raises(ClipError, match="No word of the transcript has phones"):
        voice.say(["123"], None, Stress())
