"""Age, gender and emotion, as Figure 4 of the SpeechCraft paper has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from jobs.report.columns import AGES, EMOTIONS, UNKNOWN, lasting
from jobs.report.gather import Gathered
from jobs.report.plots.style import COLOURS, Plot, figure, finished

HEIGHT_IN = 2.5
LEAST_BARS, LEAST_COLUMNS = 6, 3
"""Fewer are no thicker."""


def draw(found: Gathered, age_bounds_years: Sequence[float]) -> Iterator[Plot]:
    """A plot for each of the three that is known of any clip."""
    if _known(found, "gender"):
        yield _gender(found)
    if _known(found, "age_group"):
        yield _age(found, age_bounds_years)
    if _known(found, "emotion"):
        yield _emotion(found)


def _known(found: Gathered, column: str) -> int:
    return sum(n for value, n in found.counts.get(column, {}).items() if value != UNKNOWN)


def _gender(found: Gathered) -> Plot:
    counts = {gender: found.counts["gender"][gender] for gender in found.genders()}
    with figure(HEIGHT_IN) as drawn:
        axis = drawn.add_axes((0.035, 0.16, 0.93, 0.76))
        axis.bar(range(len(counts)), list(counts.values()), 0.56, color=[COLOURS[g] for g in counts])
        for i, (gender, n) in enumerate(counts.items()):
            spoken = lasting(found.seconds_by["gender"][gender])
            _above(axis, i, n, f"{n:,}\n{100 * n / found.clips:.1f} % · {spoken}")
        _plain(axis, list(counts), 1.22 * max(counts.values()))
        alt = f"Clips by gender: {_list(counts, found.clips)}."
        return finished(drawn, "gender", "Gender", "clips, share and time", alt)


def _age(found: Gathered, bounds_years: Sequence[float]) -> Plot:
    pairs, known = found.pairs["age_group"], _known(found, "age_group")
    counts = {g: [pairs[g, age] for age in AGES] for g in found.genders() if any(pairs[g, a] for a in AGES)}
    width = 0.8 / len(counts)
    with figure(HEIGHT_IN) as drawn:
        axis = drawn.add_axes((0.035, 0.25, 0.93, 0.67))
        for k, (gender, clips) in enumerate(counts.items()):
            places = [i - 0.4 + width * (k + 0.5) for i in range(len(AGES))]
            axis.bar(places, clips, 0.92 * width, color=COLOURS[gender])
            for x, n in zip(places, clips, strict=True):
                if n:
                    _above(axis, x, n, f"{n:,}", size=6.5)
        names = [
            "\n".join((*age.split(), years)) for age, years in zip(AGES, _ranges(bounds_years), strict=True)
        ]
        _plain(axis, names, 1.12 * max(map(max, counts.values())))
        told = [f"{gender}: {_list(dict(zip(AGES, n, strict=True)), known)}" for gender, n in counts.items()]
        what = f"clips by gender; {known:,} of {found.clips:,} have an age"
        return finished(drawn, "age", "Age group", what, f"Clips by age group. {'. '.join(told)}.")


def _emotion(found: Gathered) -> Plot:
    counts = {e: found.counts["emotion"][e] for e in EMOTIONS if found.counts["emotion"][e]}
    known, places = sum(counts.values()), range(0, -len(counts), -1)
    colours = [COLOURS["unknown" if emotion == "neutral" else "accent"] for emotion in counts]
    with figure(HEIGHT_IN) as drawn:
        axis = drawn.add_axes((0.2, 0.04, 0.765, 0.9))
        axis.barh(places, list(counts.values()), 0.62, color=colours)
        for y, n in zip(places, counts.values(), strict=True):
            told = f"{n:,} · {100 * n / known:.1f} %"
            axis.annotate(told, (n, y), (4, 0), textcoords="offset points", va="center", fontsize=7.5)
        axis.set_yticks(list(places), list(counts), color=COLOURS["ink"])
        axis.set_xlim(0, 1.38 * max(counts.values()))
        axis.set_ylim(0.4 - max(len(counts), LEAST_BARS), 0.6)
        axis.set_xticks([])
        axis.spines["bottom"].set_visible(False)
        moved = 100 * (known - counts.get("neutral", 0)) / known
        what = f"{known:,} of {found.clips:,} clips have one; {moved:.1f} % of these are not neutral"
        return finished(drawn, "emotion", "Emotion", what, f"Clips by emotion: {_list(counts, known)}.")


def _plain(axis: Any, names: Sequence[str], top: float) -> None:
    axis.set_xticks(range(len(names)), names, color=COLOURS["ink"])
    axis.tick_params(bottom=False)
    room = max(0.0, (LEAST_COLUMNS - len(names)) / 2)
    axis.set_xlim(-0.6 - room, len(names) - 0.4 + room)
    axis.set_ylim(0, top)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)


def _above(axis: Any, x: float, n: int, text: str, size: float = 7.5) -> None:
    axis.annotate(text, (x, n), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=size)


def _ranges(bounds: Sequence[float]) -> list[str]:
    """The years of each age group."""
    inner = [f"{low:g}\u2013{high - 1:g}" for low, high in pairwise(bounds)]
    return [f"under {bounds[0]:g}", *inner, f"{bounds[-1]:g} on"]


def _list(counts: Mapping[str, int], total: int) -> str:
    return ", ".join(f"{name} {n:,} ({100 * n / total:.1f} %)" for name, n in counts.items())
