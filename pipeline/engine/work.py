"""One annotator over the clips of a shard: N clips in, N outcomes out, in the same order.

What is given stands, what a clip lacks is said, and a batch that fails is halved and tried again, so that
one bad clip costs one row and a GPU that runs out of memory gets half as much.
"""

from __future__ import annotations

import gc
import logging
import re
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.annotator import Annotator, AskingAnnotator, BatchedAnnotator, Heard, Skip, SoundAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Absent, Clip, Samples
from pipeline.errors import ClipError, UsageError
from pipeline.journal import Journal
from pipeline.review.corrections import corrected
from pipeline.rows import Language, Row
from pipeline.schema import fault
from pipeline.sidecar import OK, SKIPPED, Outcome, absence
from pipeline.sounds import Pcm
from pipeline.source.base import Item
from pipeline.way import CUT, ENHANCE, SOUND, Way

log = logging.getLogger(__name__)

Found = tuple[Outcome, Pcm | None]

BYTES_PER_S = 2 * SAMPLE_RATE_HZ
"""Of a file whose length nobody tells: an Opus file may be ten times as long, which deadlines allow for."""

Alive = Callable[[], None]
Guard = Callable[[Way, Sequence[Clip], float], AbstractContextManager[Alive]]
"""Entered around each batch, with its clips and their seconds of sound, and with no clips around the
loading of an annotator: deadlines hang here. To call what it yields is to start the deadline anew."""


def unguarded(way: Way, clips: Sequence[Clip], seconds: float) -> AbstractContextManager[Alive]:
    """No deadline."""
    return nullcontext(lambda: None)


@dataclass(slots=True)
class Clips:
    """The clips of a shard, or some of them, with all that is known of them so far."""

    items: Sequence[Item]
    rows: dict[type[Row], list[Row | Absent]] = field(default_factory=dict)
    sounds: dict[str, list[Pcm | None]] = field(default_factory=dict)
    _found: dict[type[Row], dict[int, list[Row | Absent]]] = field(default_factory=dict)
    _made: dict[str, dict[int, list[Pcm | None]]] = field(default_factory=dict)

    def add(self, way: Way, outcomes: Sequence[Row | Absent]) -> None:
        """Keep what a way found. Of several ways of a family the first that has a row stands, failures
        before skips, in whichever order they are added; what a person corrected stands before all."""
        found = self._found.setdefault(way.row, {})
        found[way.rank] = list(outcomes)
        ways = [found[rank] for rank in sorted(found)]
        rows = ways[0] if len(ways) == 1 else [_first(c) for c in zip(*ways, strict=True)]
        self.rows[way.row] = [
            corrected(way.row, row, item.corrections) for row, item in zip(rows, self.items, strict=True)
        ]

    def add_sounds(self, way: Way, made: Sequence[Pcm | None]) -> None:
        """Keep the sound a way made. Of several ways of a family the first that made some is heard."""
        found = self._made.setdefault(way.family, {})
        found[way.rank] = list(made)
        ways = [found[rank] for rank in sorted(found)]
        self.sounds[way.family] = [
            next((s for s in c if s is not None), None) for c in zip(*ways, strict=True)
        ]

    def clip(self, i: int, way: Way) -> Clip:
        """Clip `i` as `way` is allowed to see it."""
        item = self.items[i]
        rows = {row: found[i] for row, found in self.rows.items()}
        return Clip(item.id, item.audio, item.given.only(way.sees), rows, self._listener(i, way.cls.hears))

    def seconds(self, i: int) -> float:
        """Length of the clip's sound: of the decoded one, else as the source tells it or its size does."""
        if SOUND in self.sounds:
            sound = self.sounds[SOUND][i]
            return 0.0 if sound is None else len(sound.data) / SAMPLE_RATE_HZ
        item = self.items[i]
        return item.audio.span_s or item.recording_s or (item.audio.size_bytes or 0) / BYTES_PER_S

    def only(self, i: int) -> Clips:
        """Clip `i` alone."""
        return Clips(
            [self.items[i]],
            {row: [found[i]] for row, found in self.rows.items()},
            {family: [sounds[i]] for family, sounds in self.sounds.items()},
            {row: {rank: [f[i]] for rank, f in found.items()} for row, found in self._found.items()},
            {family: {rank: [m[i]] for rank, m in made.items()} for family, made in self._made.items()},
        )

    def _listener(self, i: int, hears: str | None) -> Callable[[], Samples] | None:
        if hears is None:
            return None
        enhanced = self.sounds.get(ENHANCE) if hears == "speech" else None
        sound = (enhanced[i] if enhanced else None) or self.sounds.get(SOUND, [None] * (i + 1))[i]
        return None if sound is None else cache(sound.samples)


@dataclass(frozen=True, slots=True)
class Result:
    """What one way found of every clip, and the sound it made."""

    outcomes: list[Outcome]
    sounds: list[Pcm | None] | None

    def rows(self) -> list[Row | Absent]:
        """The outcomes as later annotators see them."""
        return [o if isinstance(o, Row) else _absent(o) for o in self.outcomes]


def run_way(
    annotator: Annotator[Any],
    way: Way,
    clips: Clips,
    guard: Guard = unguarded,
    journal: Journal | None = None,
    kept: Mapping[int, Found] = MappingProxyType({}),
) -> Result:
    """One outcome per clip, in order. Raises only UsageError and what is not an Exception.

    `kept`, by the clip's place, is what is known already and stands.
    """
    n = len(clips.items)
    outcomes: list[Outcome | None] = [None] * n
    sounds: list[Pcm | None] = [None] * n
    for i in range(n):
        if i in kept:
            outcomes[i], sounds[i] = kept[i]
        else:
            outcomes[i] = settled(way, clips.clip(i, way), clips.items[i].problem)
    waiting = [i for i in range(n) if outcomes[i] is None]
    work = _Work(annotator, way, guard, journal or Journal())
    for batch, found in _run_batches(work, clips, waiting):
        for i, (outcome, sound) in zip(batch, found, strict=True):
            outcomes[i], sounds[i] = outcome, sound
    return Result([o for o in outcomes if o is not None], sounds if way.makes_sound else None)


def settled(way: Way, clip: Clip, problem: ClipError | None) -> Outcome | None:
    """The outcome that needs no computing: given, lacking, or not for this way; else None."""
    if problem is not None and way.family in (SOUND, CUT):
        return problem
    try:
        given = way.cls.from_given(clip)
    except UsageError:
        raise
    except Exception as error:
        return _as_clip_error(error)
    if given is not None:
        return _checked(given, way)
    for family in way.needs:
        found = next((r for row, r in clip.rows.items() if row.family == family), None)
        if isinstance(found, Absent):
            if found.status == SKIPPED:
                return Skip(f"needs {family}: {found.error}")
            return ClipError(f"needs_{family}", f"{family} failed on this clip")
    if way.languages is not None:
        spoken = clip.maybe(Language)
        language = spoken.language if spoken else None
        if language not in way.languages:
            return Skip(f"serves {', '.join(sorted(way.languages))}, not {language or 'an unknown language'}")
    return None


@dataclass(frozen=True, slots=True)
class _Work:
    """One way at work on a shard."""

    annotator: Annotator[Any]
    way: Way
    guard: Guard
    journal: Journal


def _run_batches(work: _Work, clips: Clips, indices: list[int]) -> Iterator[tuple[list[int], list[Found]]]:
    """Each batch with what was found; of a batched annotator the next is prepared meanwhile."""
    batches = list(_batches(work.annotator, clips, indices))
    with ThreadPoolExecutor(1) as threads:
        coming = _hand_out(work, clips, batches[0], threads) if batches else None
        for number, batch in enumerate(batches):
            assert coming is not None
            handed, prepared = coming
            if number + 1 < len(batches):
                coming = _hand_out(work, clips, batches[number + 1], threads)
            seconds = 0.0 if work.way.asks else sum(clips.seconds(i) for i in batch)
            yield batch, _run_batch(work, handed, seconds, prepared)


def _hand_out(
    work: _Work, clips: Clips, batch: list[int], threads: ThreadPoolExecutor
) -> tuple[list[Clip], Callable[[], Any] | None]:
    """The clips of a batch, and the promise of what a batched annotator makes of them beforehand."""
    handed = [clips.clip(i, work.way) for i in batch]
    if not isinstance(work.annotator, BatchedAnnotator):
        return handed, None
    return handed, threads.submit(work.annotator.prepare, handed).result


def _batches(annotator: Annotator[Any], clips: Clips, indices: list[int]) -> Iterator[list[int]]:
    """Groups of at most `batch_clips` clips and `batch_s` seconds; a longer clip is a group of its own.

    Where clips are sorted by length, what counts is the length of the padded batch.
    """
    if annotator.sorts_by_length:
        indices = sorted(indices, key=lambda i: (-clips.seconds(i), i))
    batch: list[int] = []
    seconds = 0.0
    for i in indices:
        length = clips.seconds(batch[0] if batch and annotator.sorts_by_length else i)
        if batch and (len(batch) == annotator.batch_clips or seconds + length > annotator.batch_s):
            yield batch
            batch, seconds, length = [], 0.0, clips.seconds(i)
        batch.append(i)
        seconds += length
    if batch:
        yield batch


def _run_batch(
    work: _Work, clips: list[Clip], seconds: float, prepared: Callable[[], Any] | None
) -> list[Found]:
    """What was found of each clip. A batch that fails is halved and tried again, down to the clip it is."""
    try:
        with work.guard(work.way, clips, seconds) as alive:
            return _call(work, clips, prepared, alive)
    except UsageError:
        raise
    except Exception as error:
        if len(clips) == 1:
            if not isinstance(error, ClipError):
                log.warning("%s failed on clip %s", work.way.key, clips[0].id, exc_info=error)
            return [(_as_clip_error(error), None)]
    gc.collect()
    half = len(clips) // 2
    parts = (clips[:half], clips[half:])
    return [
        found for part in parts for found in _run_batch(work, part, seconds * len(part) / len(clips), None)
    ]


def _call(work: _Work, clips: list[Clip], prepared: Callable[[], Any] | None, alive: Alive) -> list[Found]:
    annotator = work.annotator
    pairs: list[tuple[Any, Samples | None]]
    if isinstance(annotator, SoundAnnotator):
        heard = list(annotator.hear(clips))
        pairs = [(h.row, h.samples) if isinstance(h, Heard) else (h, None) for h in heard]
    elif isinstance(annotator, BatchedAnnotator) and prepared is not None:
        pairs = [(outcome, None) for outcome in annotator.infer(clips, prepared())]
    elif isinstance(annotator, AskingAnnotator):
        pairs = [(outcome, None) for outcome in annotator.ask(clips, work.journal, alive)]
    else:
        pairs = [(outcome, None) for outcome in annotator.annotate(clips)]
    if len(pairs) != len(clips):
        raise ClipError("bad_batch", f"{len(clips)} clips went in, {len(pairs)} rows came out")
    return [(_checked(o, work.way), None if s is None else Pcm.of(s)) for o, s in pairs]


def _checked(outcome: object, way: Way) -> Outcome:
    """The outcome if it is one: a bad one must not reach the sidecar, which holds a whole shard."""
    if isinstance(outcome, Skip | ClipError):
        return outcome
    if not isinstance(outcome, way.row):
        return ClipError("bad_row", f"{outcome!r:.60} is no {way.row.__name__}")
    broken = fault(outcome)
    return ClipError("bad_row", broken) if broken else outcome


def _as_clip_error(error: Exception) -> ClipError:
    if isinstance(error, ClipError):
        return error
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return ClipError("oom", "the clip does not fit into memory")
    code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
    found = ClipError(code, " ".join(str(error).split())[:300] or type(error).__name__)
    for frame, line in deque(traceback.walk_tb(error.__traceback__), maxlen=1):
        path = "/".join(Path(frame.f_code.co_filename).parts[-3:])
        found.add_note(f"{path}:{line} in {frame.f_code.co_name}")
    return found


def _absent(outcome: Outcome) -> Absent:
    found = absence(outcome)
    assert found is not None
    return found


def _first(found: Sequence[Row | Absent]) -> Row | Absent:
    """Of what several ways found of a clip, what counts."""
    return min(found, key=lambda f: (isinstance(f, Absent), getattr(f, "status", OK) == SKIPPED))
