"""Enhancement takes noise away and leaves timing, length and level."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from annotators.enhance.rnnoise import RnnoiseAnnotator, denoise
from annotators.quality.measured import quality_of
from pipeline.annotator import Heard
from pipeline.clip import Clip, Given, Samples
from pipeline.rows import Enhance, Quality
from pipeline.vad import HOP_SAMPLES, speech_frames
from tests.make import buzz, clip_of, noise, silence


def noisy(seconds: float = 3) -> Samples:
    return np.concatenate([silence(1), buzz(150, seconds - 1)]) + noise(seconds, rms=0.05)


def clip(samples: Samples, snr_db: float | None, domain: str | None = None) -> Clip:
    noise_dbfs = None if snr_db is None else -26.0
    return clip_of(samples, given=Given(domain=domain), rows=[Quality(snr_db, noise_dbfs)])


def hear(c: Clip, **options: float) -> Heard[Enhance]:
    return RnnoiseAnnotator(**options).hear([c])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("n_samples", [1600, 1601, 15_999, 16_000, 48_123])
def test_the_length_is_kept_to_the_sample(n_samples: int) -> None:
    assert denoise(noisy(4)[:n_samples]).shape == (n_samples,)


def test_noise_is_taken_away() -> None:
    assert np.mean(denoise(noise(3, rms=0.05))[8000:] ** 2) < 0.01 * 0.05**2


@pytest.mark.parametrize(
    ("snr_db", "domain", "enhanced"),
    [
        (5.0, None, True),
        (5.0, "podcast", True),
        (40.0, None, False),
        (None, None, False),
        (5.0, "studio", False),
        (5.0, "audiobook", False),
    ],
)
def test_only_noisy_clips_of_open_domains_are_enhanced(
    snr_db: float | None, domain: str | None, enhanced: bool
) -> None:
    heard = hear(clip(noisy(), snr_db, domain))
    assert heard.row.enhanced is enhanced
    assert (heard.samples is not None) is enhanced
    assert heard.row.enhance_reason


def test_the_threshold_is_an_option() -> None:
    assert not hear(clip(noisy(), 5.0), below_snr_db=5.0).row.enhanced
    assert hear(clip(noisy(), 5.0), below_snr_db=5.1).row.enhanced


def test_a_clip_does_not_hear_its_neighbours() -> None:
    clips = [clip(noisy(), 5.0), clip(noise(2, rms=0.05), 5.0), clip(noisy(2), 5.0)]
    together = RnnoiseAnnotator().hear(clips)
    for one, other in zip(together, [RnnoiseAnnotator().hear([c])[0] for c in clips], strict=True):
        assert one.row == other.row
        assert np.array_equal(np.asarray(one.samples), np.asarray(other.samples))


@pytest.mark.real
def test_recorded_noise_is_reduced_in_place_and_the_speech_keeps_its_level() -> None:
    pesq = pytest.importorskip("pesq").pesq
    folder = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / "voicebank"
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    gains: list[tuple[float, float, float]] = []
    for row in rows[:12]:
        raw = soundfile.read(folder / row["audio"], dtype="float32")[0]
        clean = soundfile.read(folder / row["clean"], dtype="float32")[0][: len(raw)]
        heard = hear(clip_of(raw, rows=[quality_of(raw)]))
        if heard.samples is None:
            continue
        out = heard.samples[: len(clean)]
        correlation = np.correlate(out[8000:20_000], clean[8100:19_900])
        assert abs(int(np.argmax(correlation)) - 100) <= 1
        spoken = np.repeat(speech_frames(clean), HOP_SAMPLES)[: len(clean)]
        level = 10 * np.log10(np.mean(out[spoken] ** 2) / np.mean(clean[spoken] ** 2))
        better = pesq(16_000, clean, out, "wb") - pesq(16_000, clean, raw[: len(clean)], "wb")
        gains.append((better, si_sdr(out, clean) - si_sdr(raw[: len(clean)], clean), float(level)))
    better_pesq, better_sdr, level_db = np.mean(gains, axis=0)
    assert better_pesq > 0.2
    assert better_sdr > 2
    assert abs(level_db) < 0.5


def si_sdr(sound: Samples, clean: Samples) -> float:
    scaled = clean * (np.dot(sound, clean) / np.dot(clean, clean))
    return 10 * float(np.log10(np.sum(scaled**2) / np.sum((sound - scaled) ** 2)))
