"""Enhanced sound against the clean recording the noise was added to."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
import soxr

from jobs.evaluate.case import Case
from jobs.evaluate.labels import text
from jobs.evaluate.metric import Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import MEAN
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.errors import ClipError
from pipeline.rows import Enhance

_FRAME = round(0.02 * SAMPLE_RATE_HZ)  # 20 ms
_SPEECH_RANGE_DB = 30.0
_MAX_LENGTH_DIFFERENCE = round(0.1 * SAMPLE_RATE_HZ)


def read_16k(path: Path) -> Samples:
    """A sound file as mono 16 kHz."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate_hz, SAMPLE_RATE_HZ), dtype=np.float32)


def si_sdr_db(clean: Samples, degraded: Samples) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al., 2019), means removed, in dB.

    NaN where either is silent.
    """
    target, estimate = (x.astype(float) - x.mean(dtype=float) for x in (clean, degraded))
    energy = target @ target
    if energy == 0 or not estimate.any():
        return math.nan
    projected = (estimate @ target / energy) * target
    distortion = estimate - projected
    with np.errstate(divide="ignore"):
        return float(10 * np.log10((projected @ projected) / (distortion @ distortion)))


def speech_level_change_db(clean: Samples, degraded: Samples) -> float:
    """Power of `degraded` over that of `clean`, in dB, summed over the frames where `clean` has speech.

    Speech is in the 20 ms frames at most 30 dB under the loudest one; any bound from 20 to 60 dB
    changes the mean over VoiceBank by less than 0.02 dB. NaN where `clean` is silent.
    """
    n = len(clean) // _FRAME
    ours, theirs = (
        (x[: n * _FRAME].astype(float).reshape(n, _FRAME) ** 2).mean(axis=1) for x in (clean, degraded)
    )
    if not ours.any():
        return math.nan
    speech = ours >= ours.max() * 10 ** (-_SPEECH_RANGE_DB / 10)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(theirs[speech].sum() / ours[speech].sum()))


def _pesq(clean: Samples, degraded: Samples) -> float:
    """PESQ MOS-LQO (ITU-T P.862.2, wide band); NaN where it finds no utterance."""
    from pesq import PesqError, pesq

    if not (clean.any() and degraded.any()):
        return math.nan  # pesq 0.0.4 answers digital silence with a ValueError
    try:
        with np.errstate(all="ignore"):
            return float(pesq(SAMPLE_RATE_HZ, clean, degraded, "wb"))
    except PesqError:
        return math.nan


def _measure(case: Case) -> Measured | Missing | None:
    name = text(case.labels, "clean")
    if name is None:
        return None
    if case.raw is None or case.speech is None:
        return Missing("no enhanced sound")
    try:
        clean, raw, speech = read_16k(case.labels_dir / name), case.raw(), case.speech()
    except (OSError, soundfile.LibsndfileError):
        return Missing("clean file not readable")
    except ClipError as error:
        return Missing(error.code)
    if not np.isfinite(clean).all():
        return Missing("clean file not readable")
    n = min(map(len, (clean, raw, speech)))
    if max(map(len, (clean, raw, speech))) - n > _MAX_LENGTH_DIFFERENCE:
        return Missing("clean file of another length")
    return _compare(clean[:n], raw[:n], speech[:n], _group(case))


def _compare(clean: Samples, raw: Samples, speech: Samples, groups: dict[str, str]) -> Measured:
    change_db = speech_level_change_db(clean, speech)
    found = {"speech_level_bias": change_db, "speech_level_error": abs(change_db)}
    measures = {"si_sdr": si_sdr_db} | ({"pesq": _pesq} if find_spec("pesq") else {})
    for name, measure in measures.items():
        before, after = measure(clean, raw), measure(clean, speech)
        found |= {f"{name}_raw": before, f"{name}_enhanced": after, f"{name}_gain": after - before}
    points = {name: np.array([number]) for name, number in found.items() if math.isfinite(number)}
    lacks = () if "pesq" in measures else ("PESQ needs the package 'pesq': pip install pesq",)
    return Measured(points, groups, lacks)


def _group(case: Case) -> dict[str, str]:
    row = case.maybe(Enhance)
    return {"enhanced": "yes" if row.enhanced else "no"} if row else {}


METRIC = Metric(
    name="enhancement",
    title="Enhancement",
    definition=(
        "Reference: `clean`, a sound file named relative to the manifest. Clips that enhancement left alone "
        "count, with no gain. PESQ is ITU-T P.862.2 (wide band); SI-SDR is that of Le Roux et al. (2019), "
        "means removed. The level of the speech is the power over the 20 ms frames where the clean file is "
        "at most 30 dB under its loudest frame, of the enhanced sound over the clean one."
    ),
    figures=(
        Figure("pesq_raw", "MOS", "mean PESQ of the noisy sound", MEAN),
        Figure("pesq_enhanced", "MOS", "mean PESQ of the enhanced sound", MEAN),
        Figure("pesq_gain", "MOS", "mean difference, enhanced minus noisy", MEAN),
        Figure("si_sdr_raw", "dB", "mean SI-SDR of the noisy sound", MEAN),
        Figure("si_sdr_enhanced", "dB", "mean SI-SDR of the enhanced sound", MEAN),
        Figure("si_sdr_gain", "dB", "mean difference, enhanced minus noisy", MEAN),
        Figure("speech_level_bias", "dB", "mean change of the level of the speech", MEAN),
        Figure("speech_level_error", "dB", "mean absolute change of the level of the speech", MEAN),
    ),
    measure=_measure,
)
