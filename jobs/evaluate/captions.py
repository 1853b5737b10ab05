"""Whether captions keep their law: the words stand in the instruction, and not in the description."""

from __future__ import annotations

import numpy as np

from jobs.evaluate.case import Case
from jobs.evaluate.metric import Figure, Measured, Metric, Missing
from jobs.evaluate.statistics import MEAN
from pipeline.rows import Caption, Transcript
from pipeline.text import words

_FEWEST_WORDS = 3
"""Fewer words, or characters of Chinese, may stand in a description by chance (`slow`, `a man`)."""


def leaks(transcript: str, description: str) -> bool:
    """Whether the words of the transcript stand in the description, in order and side by side."""
    said, told = ([w.casefold() for w in words(t)] for t in (transcript, description))
    if len(said) < _FEWEST_WORDS:
        return False
    return any(told[i : i + len(said)] == said for i in range(len(told) - len(said) + 1))


def _measure(case: Case) -> Measured | Missing | None:
    transcript, caption = case.maybe(Transcript), case.maybe(Caption)
    if caption is None:
        return Missing("no caption") if transcript else None
    instruction = caption.instruction or ""
    points = {"both_captions": np.array([float(bool(caption.description and instruction))])}
    if transcript and transcript.transcript:
        points["verbatim"] = np.array([float(transcript.transcript in instruction)])
        points["leak"] = np.array([float(leaks(transcript.transcript, caption.description))])
    return Measured(points)


METRIC = Metric(
    name="captions",
    title="Captions",
    definition="No reference: what every caption must hold, over all clips of the run.",
    figures=(
        Figure("both_captions", "%", "clips with a description and an instruction", MEAN),
        Figure("verbatim", "%", "instructions in which the transcript stands verbatim", MEAN),
        Figure("leak", "%", "descriptions in which a transcript of three words or more stands", MEAN),
    ),
    measure=_measure,
)
