"""The estimated signal-to-noise ratio against the one the noise was added at."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.case import Case
from jobs.evaluate.labels import number
from jobs.evaluate.metric import Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import CORRELATION, MEAN
from pipeline.rows import Quality


def _measure(case: Case) -> Measured | Missing | None:
    reference = number(case.labels, "snr_measured_db")
    if reference is None:
        return None
    quality = case.maybe(Quality)
    if quality is None or quality.snr_db is None:
        return Missing("no snr_db")
    off = np.array([quality.snr_db - reference])
    return Measured(
        {"bias": off, "error": np.abs(off), "correlation": np.array([[reference, quality.snr_db]])}
    )


METRIC = Metric(
    name="snr",
    title="Signal-to-noise ratio",
    definition=(
        "Reference: `snr_measured_db`, the energy of the clean file over that of the noise added to it, both "
        "over the whole clip, pauses included. It is lower than one over active speech alone."
    ),
    figures=(
        Figure("bias", "dB", "mean signed error", MEAN),
        Figure("error", "dB", "mean absolute error", MEAN),
        Figure("correlation", "", "Pearson's correlation of estimate and reference over clips", CORRELATION),
    ),
    measure=_measure,
)
