"""Transcripts that nobody spoke: a recogniser's loops, its words for silence, speech no human speaks."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from jobs.export.gate import Reason
from pipeline.rundir import Shard
from pipeline.text import words

MOST_COMPRESSION = 2.4
"""Whisper's own bound: a text that gzip shrinks further repeats itself."""
SILENT_PROB, SILENT_LOGPROB = 0.6, -1.0
"""Whisper's own bounds: that nobody speaks is likely, and the words are not."""
MOST_REPEATS = 5
"""Of a run of one to four words, one after the other."""
MOST_WORDS_PER_S = 9.0
"""The fastest speakers on record speak 11; conversation stays under 6."""
MOST_CHARACTERS_PER_S = 15.0
"""Chinese; news readers speak 5."""
LEAST_WORDS_PER_S, LONG_S = 0.1, 10.0
"""Of a clip at least this long: one word in ten seconds is what silence is taken for."""
COLUMNS = (
    "transcript",
    "transcript_source",
    "language",
    "duration_s",
    "compression_ratio",
    "no_speech_prob",
    "avg_logprob",
)


class HallucinatedGate:
    """Drops clips whose words were recognised and cannot be what was said; given words stand."""

    def __init__(self, have: Sequence[str]) -> None:
        self.columns: Sequence[str] = [name for name in COLUMNS if name in have]

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row whose words are not believed."""
        found = [suspicion(row) for row in rows.select(list(self.columns)).to_pylist()]
        return [None if text is None else Reason("hallucinated", text) for text in found]


def suspicion(row: Mapping[str, Any]) -> str | None:
    """Why a transcript is not believed; None where it is, was given, or is not there."""
    text = row.get("transcript")
    if text is None or row.get("transcript_source") == "given":
        return None
    said = words(text, row.get("language"))
    ratio = row.get("compression_ratio") or _compression(text)
    if ratio > MOST_COMPRESSION:
        return f"the text repeats itself: it can be compressed to 1/{ratio:.1f}"
    if (row.get("no_speech_prob") or 0.0) > SILENT_PROB and (row.get("avg_logprob") or 0.0) < SILENT_LOGPROB:
        return "the recogniser takes it for silence"
    if (n := _repeats([w.casefold() for w in said])) > MOST_REPEATS:
        return f"words are repeated {n} times on end"
    return _rate(len(said), row.get("duration_s") or 0.0, row.get("language"))


def _rate(n: int, seconds: float, language: str | None) -> str | None:
    if seconds <= 0:
        return None
    most = MOST_CHARACTERS_PER_S if language in ("zh", "ja") else MOST_WORDS_PER_S
    if n / seconds > most and n > most:
        return f"{n / seconds:.1f} words a second are more than anybody says"
    if seconds >= LONG_S and n / seconds < LEAST_WORDS_PER_S:
        return f"{n} words in {seconds:.0f} s are what silence is taken for"
    return None


def _compression(text: str) -> float:
    data = text.encode("utf-8", "surrogatepass")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def _repeats(said: Sequence[str]) -> int:
    """The most times on end that a run of one to four words stands."""
    most = 1
    for size in range(1, 5):
        count = 1
        for i in range(size, len(said)):
            count = count + 1 if said[i] == said[i - size] else 1
            most = max(most, (count + size - 1) // size)
    return most
