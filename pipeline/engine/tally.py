"""What became of the clips of a shard and what it cost: counts by way, and a line for each failed clip."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from pipeline.clip import Absent
from pipeline.errors import ClipError
from pipeline.rows import Row
from pipeline.sidecar import FAILED, OK, Outcome
from pipeline.way import Way

NEEDS = "needs_"
"""Begins the code of a clip that fails only because an earlier annotator failed on it."""
MAX_REASON = 300
"""Characters of a reason in a report; the sidecar has all of it."""
_PROC = Path("/proc/self")
_SCHEDULED = Path("/proc/thread-self/schedstat")


@dataclass(slots=True)
class Tally:
    """What one way did of one or many shards, and what it cost.

    `compute_s` is time at work in one process, without `load_s`, in which it was loaded, and `waited_s`, in
    which its questions waited for a service that did not answer. For `queued_s` of it others had the core; 0
    where the system does not tell. `speech_s` is the sound of the clips it was at work on, those included
    that needed nothing of it, but not those whose rows stood from before. `peak_rss_bytes` is the most memory
    its process held while it ran, with whatever else that process had loaded; 0 where nobody looked.
    """

    ok: int = 0
    skipped: int = 0
    failed: int = 0
    compute_s: float = 0.0
    load_s: float = 0.0
    waited_s: float = 0.0
    queued_s: float = 0.0
    speech_s: float = 0.0
    peak_rss_bytes: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.ok += other.ok
        self.skipped += other.skipped
        self.failed += other.failed
        self.compute_s += other.compute_s
        self.load_s += other.load_s
        self.waited_s += other.waited_s
        self.queued_s += other.queued_s
        self.speech_s += other.speech_s
        self.peak_rss_bytes = max(self.peak_rss_bytes, other.peak_rss_bytes)
        self.causes.update(other.causes)


@dataclass(frozen=True, slots=True)
class Failure:
    """A clip that one way could not annotate through its own fault: those that lack what it was to make are
    none. `where` is the innermost line of code, if an exception nobody meant was raised."""

    clip: str
    family: str
    way: str
    code: str
    reason: str
    where: str = ""
    optional: bool = False


@dataclass(slots=True)
class Cost:
    """What a block of code took. Of its seconds it `waited_s` for a service that did not answer, and
    `queued_s` for a core."""

    seconds: float = 0.0
    waited_s: float = 0.0
    queued_s: float = 0.0
    peak_rss_bytes: int = 0


@contextmanager
def measured() -> Iterator[Cost]:
    """Time and peak memory of the block, of this process.

    Linux forgets the peak before the block when asked to; elsewhere it is that of the process's life.
    """
    with suppress(OSError):
        (_PROC / "clear_refs").write_text("5")
    cost, started, queued_s = Cost(), time.perf_counter(), in_queue_s()
    yield cost
    cost.seconds = time.perf_counter() - started
    cost.queued_s = in_queue_s() - queued_s
    cost.peak_rss_bytes = _peak_rss_bytes()


def in_queue_s() -> float:
    """How long this thread has waited for a core that others had; 0 where the system does not tell."""
    try:
        return int(_SCHEDULED.read_bytes().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _peak_rss_bytes() -> int:
    with suppress(OSError):
        for line in (_PROC / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def tally(rows: Sequence[Row | Absent], cost: Cost, load_s: float = 0.0) -> Tally:
    """Count rows and the causes of failed ones."""
    found = Tally(
        compute_s=cost.seconds - cost.waited_s,
        load_s=load_s,
        waited_s=cost.waited_s,
        queued_s=cost.queued_s,
        peak_rss_bytes=cost.peak_rss_bytes,
    )
    for row in rows:
        status = row.status if isinstance(row, Absent) else OK
        if status == OK:
            found.ok += 1
        elif status == FAILED:
            found.failed += 1
            found.causes[row.error.partition(":")[0] if isinstance(row, Absent) else ""] += 1
        else:
            found.skipped += 1
    return found


def failures_of(way: Way, ids: Sequence[str], outcomes: Sequence[Outcome]) -> list[Failure]:
    """Of what a way found, the failures that are its own."""
    return [
        Failure(
            clip,
            way.family,
            way.name,
            outcome.code,
            str(outcome)[:MAX_REASON],
            next(iter(getattr(outcome, "__notes__", ())), ""),
            way.optional,
        )
        for clip, outcome in zip(ids, outcomes, strict=True)
        if isinstance(outcome, ClipError) and not outcome.code.startswith(NEEDS)
    ]
