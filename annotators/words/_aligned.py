"""The best path through the words, as words and phones with times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from annotators.words._cepstra import FRAME_EDGE_S, HOP_S, features
from annotators.words._english import Spoken
from annotators.words._sphinx import acoustic_model
from annotators.words._syllables import in_phones
from annotators.words._viterbi import PAUSE, Network, Path, Segment
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.rows import Phone, Word, Words

_MAX_CELLS = 100_000_000  # frames x states of phones: 100 MB, and a clip of about two minutes
_PAUSE_EDGE_S = 0.028
"""The model's phones take this much of a pause beside them: on hand-marked speech words began 29 ms
early after a pause and ended 28 ms late before one, and 3 and 2 ms late next to another word."""
_FIT_NATS, _FIT_SLOPE = 2.5, 2.0
"""Shortfall of the path in nats a frame: 0.2..1.9 with the right text, 3.3..8.8 with another's."""


def align(sound: Samples, tokens: Sequence[str], said: Sequence[Spoken], beam: float) -> Words | None:
    """Words and phones that cover the clip; None if the text is too long for it or no path is found."""
    n_phones = sum(len(way) for s in said for way in s.ways)
    if len(sound) / SAMPLE_RATE_HZ / HOP_S * 3 * n_phones > _MAX_CELLS:
        return None
    model = acoustic_model()
    path = Network(model, [s.ways for s in said]).search(features(sound), beam)
    if path is None:
        return None
    times = _times(path.segments, len(sound) / SAMPLE_RATE_HZ)
    phones = [
        Phone(model.names[segment.phone], start, end)
        for segment, (start, end) in zip(path.segments, times, strict=True)
    ]
    of_word: list[list[Phone]] = [[] for _ in tokens]
    for segment, phone in zip(path.segments, phones, strict=True):
        if segment.word != PAUSE:
            of_word[segment.word].append(phone)
    found = tuple(
        Word(
            token, mine[0].start_s, mine[-1].end_s,
            in_phones(tuple(p.phone for p in mine)), len(mine), spoken.aligned_by,
        )
        for token, spoken, mine in zip(tokens, said, of_word, strict=True)
    )  # fmt: skip
    return Words(found, tuple(phones), "pocketsphinx", _confidence(path))


def _times(segments: Sequence[Segment], seconds: float) -> list[tuple[float, float]]:
    """Start and end of each segment; they adjoin, from 0 to the end of the clip."""
    edges = [0.0]
    for before, after in pairwise(segments):
        at = min(after.start * HOP_S + FRAME_EDGE_S, seconds)
        if before.word == PAUSE != after.word:
            at += min(_PAUSE_EDGE_S, (after.end - after.start) * HOP_S / 2)
        elif before.word != PAUSE == after.word:
            at -= min(_PAUSE_EDGE_S, (before.end - before.start) * HOP_S / 2)
        edges.append(min(max(at, edges[-1]), seconds))
    return list(pairwise([*edges, seconds]))


def _confidence(path: Path) -> float:
    return 1 / (1 + math.exp(min(_FIT_SLOPE * (path.shortfall - _FIT_NATS), 700.0)))
