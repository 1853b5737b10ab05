"""The drawing of one clip as SVG: waveform, F0, level, and the words under them, on one axis of time.

Colours and fonts come from `clip.css`; `clip.js` moves the playhead. The drawing holds no colour, script
or address of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor, log2

from markupsafe import Markup, escape

from jobs.pages.figure import Figure, Spoken

WIDTH = 720
LEFT = 40
"""Room for the values of the axes; time begins here."""
RIGHT = 10
WAVE, PITCH, LEVEL = (8, 62), (82, 178), (200, 246)
"""Top and bottom of each band."""
WORDS_TOP = 256
ROW = 19
MOST_ROWS = 6
"""Of words; what finds no place in them is not drawn: speech of more than five words a second for long."""
LETTER, WIDE_LETTER = 6.9, 12.5
"""Width of a letter of 12 px, and of a Chinese character."""
_WORD = '<text class="{}" data-word="{}" data-start="{}" data-end="{}" x="{:.1f}" y="{}">{}</text>'
LEVEL_SPAN_DB = 45.0
"""From the loudest frame down; what is softer lies on the floor."""


def drawing(figure: Figure, label: str) -> Markup:
    """The SVG. `label` says what it shows to those who do not see it."""
    rows = _placed(figure)
    bottom = WORDS_TOP + ROW * (max((row for row, _, _ in rows), default=-1) + 1)
    height = bottom + 24
    parts = [
        *_stressed(figure, bottom),
        *_wave(figure),
        *_pitch(figure),
        *_level(figure),
        *_words(figure, rows),
        *_time(figure, bottom),
        Markup('<line class="head" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(LEFT, WAVE[0], bottom),
    ]
    return Markup(
        '<svg class="clip-figure" viewBox="0 0 {} {}" role="img" aria-label="{}" data-seconds="{}" '
        'data-left="{}" data-width="{}">{}</svg>'
    ).format(WIDTH, height, label, f"{figure.duration_s:.3f}", LEFT, _span(), Markup("").join(parts))


def _span() -> int:
    return WIDTH - LEFT - RIGHT


def _x(figure: Figure, at_s: float) -> float:
    return round(LEFT + _span() * min(max(at_s, 0.0), figure.duration_s) / (figure.duration_s or 1.0), 1)


def _stressed(figure: Figure, bottom: int) -> Iterator[Markup]:
    for word in figure.words:
        if word.stressed:
            start, end = _x(figure, word.start_s), _x(figure, word.end_s)
            yield Markup('<rect class="stressed" x="{}" y="{}" width="{:.1f}" height="{}" rx="3"/>').format(
                start, WAVE[0] - 4, max(2.0, end - start), bottom - WAVE[0] + 6
            )


def _wave(figure: Figure) -> Iterator[Markup]:
    middle, half = (WAVE[0] + WAVE[1]) / 2, (WAVE[1] - WAVE[0]) / 2
    step = _span() / max(1, len(figure.outline))
    tops = [(LEFT + (i + 0.5) * step, max(0.4, v * half)) for i, v in enumerate(figure.outline)]
    up = [f"{x:.1f} {middle - y:.1f}" for x, y in tops]
    down = [f"{x:.1f} {middle + y:.1f}" for x, y in reversed(tops)]
    yield Markup('<path class="wave" d="M{}Z"/>').format("L".join(up + down))


def _pitch(figure: Figure) -> Iterator[Markup]:
    """On a scale of octaves, as it is heard."""
    yield _name(PITCH, "F0", "Hz")
    voiced = sorted(v for v in figure.f0_hz if v > 0)
    if not voiced:
        return
    low, high = voiced[len(voiced) // 50] / 1.1, voiced[-1 - len(voiced) // 50] * 1.1
    if high / low < 2:
        middle = (low * high) ** 0.5
        low, high = middle / 2**0.5, middle * 2**0.5

    def y(hz: float) -> float:
        share = min(max(log2(hz / low) / log2(high / low), 0.0), 1.0)
        return PITCH[1] - share * (PITCH[1] - PITCH[0])

    for hz in _ticks_hz(low, high):
        yield _grid(y(hz), f"{hz:g}")
    for piece in _voiced(figure):
        points = "L".join(f"{_x(figure, at_s)} {y(hz):.1f}" for at_s, hz in piece)
        yield Markup('<path class="f0" d="M{}"/>').format(points)


def _voiced(figure: Figure) -> Iterator[list[tuple[float, float]]]:
    """Runs of voiced frames: time and F0, no denser than the drawing shows."""
    every = max(1, floor(0.9 * figure.duration_s / _span() / (figure.f0_hop_s or 1.0)))
    piece: list[tuple[float, float]] = []
    for i, hz in enumerate(figure.f0_hz):
        if hz <= 0:
            if piece:
                yield piece
            piece = []
        elif i % every == 0 or not piece:
            piece.append((i * figure.f0_hop_s, hz))
    if piece:
        yield piece


def _ticks_hz(low: float, high: float) -> list[float]:
    """Two to five round frequencies between two, an equal interval apart."""
    for step in (25.0, 50.0, 100.0, 200.0):
        ticks = [n * step for n in range(ceil(low / step), floor(high / step) + 1)]
        if len(ticks) <= 4:
            return ticks
    return ticks[:: ceil(len(ticks) / 4)]


def _level(figure: Figure) -> Iterator[Markup]:
    yield _name(LEVEL, "level", "dBFS")
    if not figure.level_dbfs:
        return
    top = max(figure.level_dbfs)
    height = LEVEL[1] - LEVEL[0]

    def y(dbfs: float) -> float:
        return LEVEL[1] - height * max(0.0, (dbfs - top + LEVEL_SPAN_DB) / LEVEL_SPAN_DB)

    for dbfs in range(floor(top / 20) * 20, round(top - LEVEL_SPAN_DB), -20):
        yield _grid(y(dbfs), f"−{-dbfs}" if dbfs < 0 else f"{dbfs}")
    every = max(1, floor(0.9 * figure.duration_s / _span() / figure.level_hop_s))
    points = [
        f"{_x(figure, i * figure.level_hop_s)} {y(v):.1f}"
        for i, v in enumerate(figure.level_dbfs)
        if i % every == 0
    ]
    ends = f"{points[-1].split()[0]} {LEVEL[1]}L{LEFT} {LEVEL[1]}"
    yield Markup('<path class="level" d="M{}L{}Z"/>').format("L".join(points), ends)


def _words(figure: Figure, rows: list[tuple[int, float, float]]) -> Iterator[Markup]:
    for i, (word, (row, left, _)) in enumerate(zip(figure.words, rows, strict=True)):
        if row < 0:
            continue
        kind = "word stress" if word.stressed else "word"
        top = WORDS_TOP + ROW * row
        start, end = _x(figure, word.start_s), _x(figure, word.end_s)
        yield Markup('<path class="reach" d="M{} {}H{}"/>').format(start, top + 1, max(start + 1, end))
        yield Markup(_WORD).format(kind, i, word.start_s, word.end_s, left, top + 14, word.word)


def _placed(figure: Figure) -> list[tuple[int, float, float]]:
    """Row, left and right of each word: in the first row where it meets no other; -1 where all are full."""
    ends = [float("-inf")] * MOST_ROWS
    placed = []
    for word in figure.words:
        width = _width(word)
        middle = (_x(figure, word.start_s) + _x(figure, word.end_s)) / 2
        left = min(max(middle - width / 2, LEFT), max(LEFT, WIDTH - RIGHT - width))
        row = next((r for r, end in enumerate(ends) if end + 5 <= left), -1)
        if row >= 0:
            ends[row] = left + width
        placed.append((row, left, left + width))
    return placed


def _width(word: Spoken) -> float:
    return sum(WIDE_LETTER if ord(c) > 0x2E7F else LETTER for c in word.word) * (1.08 if word.stressed else 1)


def _time(figure: Figure, bottom: int) -> Iterator[Markup]:
    step = next((s for s in (0.5, 1, 2, 5, 10, 20, 60, 120) if figure.duration_s / s <= 8), 600)
    for n in range(floor(figure.duration_s / step) + 1):
        x = _x(figure, n * step)
        yield Markup('<path class="tick" d="M{} {}v4"/>').format(x, bottom + 4)
        unit = " s" if n == 0 else ""
        yield Markup('<text class="axis time" x="{}" y="{}">{:g}{}</text>').format(
            x, bottom + 18, n * step, unit
        )


def _name(band: tuple[int, int], name: str, unit: str) -> Markup:
    return Markup('<text class="axis name" x="{}" y="{}">{} <tspan class="unit">{}</tspan></text>').format(
        LEFT + 2, band[0] - 3, name, unit
    )


def _grid(y: float, text: str) -> Markup:
    return Markup(
        '<path class="grid" d="M{} {:.1f}H{}"/><text class="axis value" x="{}" y="{:.1f}">{}</text>'
    ).format(LEFT, y, WIDTH - RIGHT, LEFT - 5, y + 3.5, escape(text))
