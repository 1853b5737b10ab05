"""Pitch against a laryngograph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jobs.evaluate.case import Case
from jobs.evaluate.labels import curve, number
from jobs.evaluate.metric import Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import MEAN, MEDIAN
from pipeline.rows import Pitch

Hz = npt.NDArray[np.float64]  # [n_frames], 0 where unvoiced

GROSS = 0.2
"""An estimate further than this share from the reference is a gross error (Rabiner et al., 1976)."""
_CENTS_PER_OCTAVE = 1200


def at_times(f0_hz: Hz, hop_s: float, times_s: npt.NDArray[np.float64]) -> Hz:
    """The frame nearest to each time; unvoiced more than half a hop past the last frame."""
    nearest = np.floor(times_s / hop_s + 0.5).astype(np.intp)
    inside = nearest < len(f0_hz)
    found = np.zeros(len(times_s))
    found[inside] = f0_hz[nearest[inside]]
    return found


def compare(reference_hz: Hz, estimate_hz: Hz) -> dict[str, npt.NDArray[np.float64]]:
    """The points of every figure from two contours on the same frames; NaN is a frame nobody knows."""
    known = np.isfinite(reference_hz)
    reference_hz, estimate_hz = reference_hz[known], estimate_hz[known]
    voiced, called = reference_hz > 0, estimate_hz > 0
    both = voiced & called
    ratio = estimate_hz[both] / reference_hz[both]
    gross = np.abs(ratio - 1) > GROSS
    octave = np.abs(ratio / np.where(ratio > 1, 2.0, 0.5) - 1) <= GROSS
    return {
        "gross_error": gross.astype(float),
        "voicing_error": (voiced != called).astype(float),
        "voiced_missed": (voiced & ~called).astype(float),
        "unvoiced_called": (~voiced & called).astype(float),
        "fine_error": _CENTS_PER_OCTAVE * np.abs(np.log2(ratio[~gross])),
        "octave_error": (gross & octave).astype(float),
    }


def _measure(case: Case) -> Measured | Missing | None:
    reference, frame_s = curve(case.labels, "f0_ref_hz"), number(case.labels, "f0_frame_s")
    if reference is None or frame_s is None or frame_s <= 0:
        return None
    pitch = case.maybe(Pitch)
    if pitch is None:
        return Missing("no pitch")
    times_s = frame_s * np.arange(len(reference), dtype=np.float64)
    return Measured(compare(reference, at_times(pitch.f0_hz.astype(float), pitch.f0_hop_s, times_s)))


METRIC = Metric(
    name="f0",
    title="Pitch (F0)",
    definition=(
        "Reference: `f0_ref_hz`, 0 where unvoiced; frames that are null or NaN are left out. Reference frame "
        "i lies at i * `f0_frame_s`: on the FDA laryngograph contours the median error is smallest there "
        "(12.8 cents; 21.0 at 5 ms before, 17.7 at 5 ms after, 21.6 at half a frame after). The estimate is "
        "that of the nearest frame, without interpolation; the contour is unvoiced past its end."
    ),
    figures=(
        Figure(
            "gross_error",
            "%",
            "estimates more than 20 % off, of the frames voiced in both",
            MEAN,
        ),
        Figure("voicing_error", "%", "frames whose voicing differs, of all frames", MEAN),
        Figure("voiced_missed", "%", "voiced frames called unvoiced, of all frames", MEAN),
        Figure("unvoiced_called", "%", "unvoiced frames called voiced, of all frames", MEAN),
        Figure(
            "fine_error",
            "cents",
            "median absolute error of the frames voiced in both and not grossly wrong",
            MEDIAN,
        ),
        Figure(
            "octave_error",
            "%",
            "gross errors within 20 % of twice or half the reference, of the frames voiced in both",
            MEAN,
        ),
    ),
    measure=_measure,
)
