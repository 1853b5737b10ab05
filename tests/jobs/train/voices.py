"""Labelled corpora of made-up voices: pitch and formants tell gender and age, tempo and pitch the mood."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import lfilter

from pipeline.clip import SAMPLE_RATE_HZ, Samples

MOODS = ("anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness")


def voice(f0_hz: float, formants: float, rng: np.random.Generator, beat_hz: float = 4.0) -> Samples:
    """1.5 s of three vowels in a rising and falling tone; `formants` scales a man's."""
    n = int(1.5 * SAMPLE_RATE_HZ)
    t = np.arange(n) / SAMPLE_RATE_HZ
    f0 = f0_hz * 2 ** (0.15 * np.sin(2 * np.pi * (0.7 * t + rng.random())))
    wave = np.diff(np.cumsum(f0 / SAMPLE_RATE_HZ) % 1.0, prepend=0.0) * -1 + 0.01 * rng.standard_normal(n)
    for hz, width in ((600 * rng.uniform(0.9, 1.1), 90), (1500, 120), (2500, 160)):
        at, r = 2 * np.pi * hz * formants / SAMPLE_RATE_HZ, np.exp(-np.pi * width / SAMPLE_RATE_HZ)
        wave = lfilter([1 - r], [1, -2 * r * np.cos(at), r * r], wave)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * beat_hz * t)
    return np.asarray(0.5 * wave * swell / np.abs(wave).max(), np.float32)


def read_aloud(folder: Path, n_speakers: int = 18, n_clips: int = 2) -> None:
    """Speakers in turn: a woman, a man, a child."""
    rng = np.random.default_rng(1)
    kinds = [("female", 24, 220.0, 1.15), ("male", 27, 115.0, 1.0), ("male", 7, 290.0, 1.4)]
    for i in range(n_speakers):
        gender, age, f0_hz, formants = kinds[i % 3]
        f0_hz, formants = f0_hz * rng.uniform(0.93, 1.07), formants * rng.uniform(0.98, 1.02)
        for k in range(n_clips):
            labels = {"gender": gender, "age": age, "speaker": f"s{i}"}
            _add(folder / "speechocean762", f"s{i}-{k}", voice(f0_hz, formants, rng), labels)


def acted(folder: Path, n_speakers: int = 3, n_clips: int = 2) -> None:
    """Each mood has its pitch and its beat."""
    rng = np.random.default_rng(2)
    for i in range(n_speakers):
        for m, mood in enumerate(MOODS):
            for k in range(n_clips):
                sound = voice(110 * 1.18**m, 1.0 + 0.03 * i, rng, beat_hz=1.5 + m)
                _add(folder / "emodb", f"a{i}-{mood}-{k}", sound, {"emotion": mood, "speaker": f"a{i}"})


def _add(folder: Path, id: str, sound: Samples, labels: dict[str, object]) -> None:
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "audio" / f"{id}.flac", sound, SAMPLE_RATE_HZ)
    with (folder / "manifest.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": id, "audio": f"audio/{id}.flac", **labels}) + "\n")
