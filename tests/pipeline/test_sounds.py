"""Sound survives its artifact to 16 bits of its own peak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import sounds
from pipeline.sounds import Pcm
from pipeline.storage import Store
from tests.make import noise, silence, tone


@pytest.mark.parametrize("gain_db", [-80, -20, 0, 12])
def test_the_error_lies_98_db_under_the_peak_at_any_level(gain_db: float) -> None:
    sound = tone(440, 1.0, peak=1.0) * np.float32(10 ** (gain_db / 20))
    error = np.max(np.abs(Pcm.of(sound).samples() - sound))
    assert 20 * np.log10(error / np.max(np.abs(sound))) < -90


def test_rounding_twice_changes_nothing() -> None:
    once = Pcm.of(noise(0.5)).samples()
    assert np.array_equal(Pcm.of(once).samples(), once)


def test_silence_stays_silent() -> None:
    assert not np.any(Pcm.of(silence(0.1)).samples())


@pytest.mark.parametrize("url", ["{}", "memory://{}"])
def test_what_is_written_is_heard_again(tmp_path: Path, url: str) -> None:
    store = Store(url.format(tmp_path))
    store.prepare()
    kept = [Pcm.of(tone(220, 0.3)), None, Pcm.of(silence(0.1))]
    sounds.write(store, "s.arrow", ["a", "b", "c"], kept)
    back = sounds.read(store, "s.arrow")
    assert back[1] is None
    for ours, theirs in ((kept[0], back[0]), (kept[2], back[2])):
        assert ours is not None
        assert theirs is not None
        assert np.array_equal(ours.samples(), theirs.samples())
