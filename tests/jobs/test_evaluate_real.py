"""Where a definition was read off real speech, it still holds there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from annotators.pitch.dio import DioAnnotator
from jobs.evaluate.enhancement import read_16k
from jobs.evaluate.f0 import at_times, compare
from jobs.evaluate.labels import marks
from jobs.evaluate.rate import count
from tests.make import clip_of

pytestmark = pytest.mark.real


def manifest(corpus: str) -> list[tuple[Path, dict[str, object]]]:
    folder = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"]) / corpus
    lines = (folder / "manifest.jsonl").read_text().splitlines()
    return [(folder, json.loads(line)) for line in lines]


def test_the_laryngograph_contours_fit_best_without_an_offset() -> None:
    pitch = DioAnnotator()
    errors: dict[float, list[npt.NDArray[np.float64]]] = {
        at_s: [] for at_s in (-0.0075, -0.005, 0.0, 0.005, 0.0075)
    }
    for folder, labels in manifest("fda")[::2]:
        contour = pitch.annotate([clip_of(read_16k(folder / str(labels["audio"])))])[0]
        reference = np.array(labels["f0_ref_hz"])
        for offset_s, found in errors.items():
            times_s = np.maximum(0.015 * np.arange(len(reference)) + offset_s, 0)
            estimate = at_times(contour.f0_hz.astype(float), contour.f0_hop_s, times_s)
            found.append(compare(reference, estimate)["fine_error"])
    medians = {offset_s: np.median(np.concatenate(found)) for offset_s, found in errors.items()}
    assert min(medians, key=lambda offset_s: medians[offset_s]) == 0


def test_timit_is_counted_at_the_rates_people_speak() -> None:
    counted = [count(marks(labels, "phones") or []) for _, labels in manifest("timit")]
    syllables, phones = (
        np.median([getattr(c, of) / c.speech_s for c in counted]) for of in ("syllables", "phones")
    )
    assert 4 < syllables < 6
    assert 10 < phones < 14
