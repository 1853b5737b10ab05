"""Bars that the page draws itself: a value, how many, and which share of the longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.pages import shortened
from jobs.report.columns import LEVELS, UNKNOWN
from jobs.report.gather import Gathered

NARROWEST_PX, LETTER_PX = 270, 7
"""A bar of parts on a small phone, and a letter in it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`share` is of all, `length` of the longest bar, both in percent."""

    name: str
    count: int
    share: float
    length: float
    more: str = ""
    quiet: bool = False


def bars(
    counts: Mapping[str, int], total: int, most: int = 12, more: Mapping[str, str] | None = None
) -> list[Bar]:
    """The most frequent values; at the end, quietly, what is left out and what is unknown."""
    known = ranked({v: n for v, n in counts.items() if v != UNKNOWN and n})
    rest, unknown = known[most:], counts.get(UNKNOWN, 0)
    quiet = [(f"{len(rest):,} other{'s' * (len(rest) > 1)}", sum(n for _, n in rest))] if rest else []
    quiet += [(UNKNOWN, unknown)] if unknown else []
    longest = max((n for _, n in (*known[:most], *quiet)), default=1)

    def bar(value: str, n: int, quiet: bool) -> Bar:
        share, told = 100 * n / (total or 1), (more or {}).get(value, "")
        return Bar(shortened(value, 80), n, share, 100 * n / longest, told, quiet)

    return [*(bar(v, n, False) for v, n in known[:most]), *(bar(v, n, True) for v, n in quiet)]


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, equals by name."""
    return sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: its share in percent."""

    name: str
    share: float

    @property
    def text(self) -> str:
        """What it says in full."""
        return f"{self.name} {self.share:.0f} %"

    @property
    def inside(self) -> str:
        """As much of it as stands in the part on the narrowest bar, if only the figure, or nothing."""
        room = self.share / 100 * NARROWEST_PX - 2
        return next((t for t in (self.text, f"{self.share:.0f} %") if LETTER_PX * len(t) <= room), "")


@dataclass(frozen=True, slots=True)
class Split:
    """One row of a bar of parts, by label."""

    name: str
    clips: int
    parts: tuple[Part, ...]

    @property
    def beside(self) -> str:
        """What does not stand in the bar in full."""
        return " · ".join(part.text for part in self.parts if part.share and part.inside != part.text)


def levels(found: Gathered) -> dict[str, list[Split]]:
    """Pitch, energy and speed: how the clips of each gender spread over low, normal and high."""
    shown = {}
    for column, values in LEVELS.items():
        pairs = found.pairs.get(column, Counter())
        rows = [row for gender in found.genders() for row in _split(gender, pairs, values)]
        if rows:
            shown[column.removesuffix("_label")] = rows
    return shown


def _split(gender: str, pairs: Mapping[tuple[str, str], int], values: Sequence[str]) -> Iterator[Split]:
    counts = [pairs.get((gender, value), 0) for value in values]
    if total := sum(counts):
        yield Split(
            gender, total, tuple(Part(v, 100 * n / total) for v, n in zip(values, counts, strict=True))
        )
