"""How long captions are, as Figure 2 of the SpeechCraft paper has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from jobs.captions.report import UNITS
from jobs.report.plots.rows import axes, head, height_in, histogram
from jobs.report.plots.style import COLOURS, Plot, figure, finished

COLOUR = {"description": "accent", "instruction": "second"}
BARS = 45
BEYOND = 0.995
"""Of all texts; the few longer ones share the last bar."""


def draw(language: str, name: str, lengths: Mapping[str, Counter[int]]) -> Plot | None:
    """Descriptions and instructions of a language, a row each; None where there is neither."""
    rows = {which: counts for which, counts in lengths.items() if counts}
    if not rows:
        return None
    unit = UNITS.get(language, "words")
    most = max(_at(counts, BEYOND) for counts in rows.values())
    step = max(1, -(-most // BARS))
    edges = np.arange(0, most + 2 * step, step).astype(np.float64)
    told = []
    with figure(height_in(len(rows))) as drawn:
        under = axes(drawn, len(rows), edges, f"{unit}, without the clip's own")
        for axis, (which, counts) in zip(under, rows.items(), strict=True):
            colour = COLOURS[COLOUR[which]]
            inside = np.minimum(list(counts), edges[-1] - 1)
            bars, _ = np.histogram(inside, edges, weights=list(counts.values()))
            histogram(axis, bars, edges, colour)
            axis.set_ylim(0, 1.08)
            note = f"median {_at(counts, 0.5)} · 90 % from {_at(counts, 0.05)} to {_at(counts, 0.95)}"
            head(axis, which, note, colour)
            told.append(f"{which}: {note}")
        alt = f"Histogram of the length of {name} captions in {unit}. " + ". ".join(told) + "."
        return finished(drawn, f"length-{language}", f"Length, {name}", f"of captions, in {unit}", alt)


def _at(counts: Counter[int], share: float) -> int:
    """The length that a share of the texts does not exceed."""
    left = share * counts.total()
    for length in sorted(counts):
        left -= counts[length]
        if left <= 0:
            return length
    return max(counts)
