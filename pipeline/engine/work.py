"""One annotator over the clips of a shard: N clips in, N outcomes out, in the same order.

What is given stands, what a clip lacks is said, and a batch that fails is halved and tried again, so that
one bad clip costs one row and a GPU that runs out of memory gets half as much.
"""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipeline.annotator import Annotator, BatchedAnnotator, Heard, Skip, SoundAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Absent, Clip, Samples
from pipeline.errors import ClipError, UsageError
from pipeline.job import ENHANCE, SOUND, Way
from pipeline.rows import Language, Row
from pipeline.schema import fault
from pipeline.sidecar import OK, SKIPPED, Outcome, absence
from pipeline.sounds import Pcm
from pipeline.source.base import Item

log = logging.getLogger(__name__)

Found = tuple[Outcome, Pcm | None]

Guard = Callable[[Way, Sequence[Clip], float], AbstractContextManager[None]]
"""Entered around each batch, with its clips and their seconds of sound: notes and deadlines hang here."""


def unguarded(way: Way, clips: Sequence[Clip], seconds: float) -> AbstractContextManager[None]:
    """No deadline."""
    return nullcontext()


@dataclass(slots=True)
class Clips:
    """The clips of a shard, or some of them, with all that is known of them so far."""

    items: Sequence[Item]
    rows: dict[type[Row], list[Row | Absent]] = field(default_factory=dict)
    sounds: dict[str, list[Pcm | None]] = field(default_factory=dict)

    def add(self, way: Way, outcomes: Sequence[Row | Absent]) -> None:
        """Keep what a way found; where several ways fill a family, the first row stands."""
        known = self.rows.get(way.row)
        if known is None:
            self.rows[way.row] = list(outcomes)
            return
        for i, found in enumerate(outcomes):
            if isinstance(known[i], Absent) and (isinstance(found, Row) or _is_failed(found)):
                known[i] = found

    def clip(self, i: int, way: Way) -> Clip:
        """Clip `i` as `way` is allowed to see it."""
        item = self.items[i]
        rows = {row: found[i] for row, found in self.rows.items()}
        return Clip(item.id, item.audio, item.given.only(way.sees), rows, self._listener(i, way.cls.hears))

    def seconds(self, i: int) -> float:
        """Length of the clip's sound; 0 where there is none."""
        raw = self.sounds.get(SOUND)
        sound = raw[i] if raw else None
        return 0.0 if sound is None else len(sound.data) / SAMPLE_RATE_HZ

    def only(self, i: int) -> Clips:
        """Clip `i` alone."""
        return Clips(
            [self.items[i]],
            {row: [found[i]] for row, found in self.rows.items()},
            {family: [sounds[i]] for family, sounds in self.sounds.items()},
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


def run_way(annotator: Annotator[Any], way: Way, clips: Clips, guard: Guard = unguarded) -> Result:
    """One outcome per clip, in order. Raises only UsageError and what is not an Exception."""
    n = len(clips.items)
    outcomes: list[Outcome | None] = [None] * n
    sounds: list[Pcm | None] = [None] * n
    handed = {}
    for i in range(n):
        clip = clips.clip(i, way)
        outcomes[i] = settled(way, clip, clips.items[i].problem)
        if outcomes[i] is None:
            handed[i] = clip
    for batch, found in _run_batches(annotator, way, clips, handed, guard):
        for i, (outcome, sound) in zip(batch, found, strict=True):
            outcomes[i], sounds[i] = outcome, sound
    return Result([o for o in outcomes if o is not None], sounds if way.makes_sound else None)


def settled(way: Way, clip: Clip, problem: ClipError | None) -> Outcome | None:
    """The outcome that needs no computing: given, lacking, or not for this way; else None."""
    if problem is not None and way.family == SOUND:
        return problem
    try:
        given = way.cls.from_given(clip)
    except ClipError as error:
        return error
    if given is not None:
        return _checked(given)
    for family in way.needs:
        found = next((r for row, r in clip.rows.items() if row.family == family), None)
        if isinstance(found, Absent):
            if found.status == SKIPPED:
                return Skip(f"needs {family}: {found.error}")
            return ClipError(f"needs_{family}", f"there is no {family} for this clip")
    if way.languages is not None:
        spoken = clip.maybe(Language)
        language = spoken.language if spoken else None
        if language not in way.languages:
            return Skip(f"serves {', '.join(sorted(way.languages))}, not {language or 'an unknown language'}")
    return None


def _run_batches(
    annotator: Annotator[Any], way: Way, clips: Clips, handed: dict[int, Clip], guard: Guard
) -> Iterator[tuple[list[int], list[Found]]]:
    """Each batch with what was found; of a batched annotator the next is prepared meanwhile."""
    batches = list(_batches(way, clips, list(handed)))
    if not isinstance(annotator, BatchedAnnotator):
        for batch in batches:
            seconds = sum(clips.seconds(i) for i in batch)
            yield batch, _run_batch(annotator, way, [handed[i] for i in batch], seconds, guard, None)
        return
    with ThreadPoolExecutor(1) as threads:
        prepared = [_prepare(threads, annotator, handed, batch) for batch in batches[:1]]
        for number, batch in enumerate(batches):
            ready = prepared.pop()
            seconds = sum(clips.seconds(i) for i in batch)
            if number + 1 < len(batches):
                prepared.append(_prepare(threads, annotator, handed, batches[number + 1]))
            yield batch, _run_batch(annotator, way, [handed[i] for i in batch], seconds, guard, ready)


def _prepare(
    threads: ThreadPoolExecutor,
    annotator: BatchedAnnotator[Any, Any],
    handed: dict[int, Clip],
    batch: list[int],
) -> Callable[[], Any]:
    return threads.submit(annotator.prepare, [handed[i] for i in batch]).result


def _batches(way: Way, clips: Clips, indices: list[int]) -> Iterator[list[int]]:
    """Groups of at most `batch_clips` clips and `batch_s` seconds; a longer clip is a group of its own.

    Where clips are sorted by length, what counts is the length of the padded batch.
    """
    if way.cls.sorts_by_length:
        indices = sorted(indices, key=lambda i: (-clips.seconds(i), i))
    batch: list[int] = []
    seconds = 0.0
    for i in indices:
        length = (
            max(clips.seconds(i) for i in (batch[:1] or [i])) if way.cls.sorts_by_length else clips.seconds(i)
        )
        if batch and (len(batch) == way.cls.batch_clips or seconds + length > way.cls.batch_s):
            yield batch
            batch, seconds, length = [], 0.0, clips.seconds(i)
        batch.append(i)
        seconds += length
    if batch:
        yield batch


def _run_batch(
    annotator: Annotator[Any],
    way: Way,
    clips: list[Clip],
    seconds: float,
    guard: Guard,
    prepared: Callable[[], Any] | None,
) -> list[Found]:
    """What was found of each clip. A batch that fails is halved and tried again, down to the clip it is."""
    try:
        with guard(way, clips, seconds):
            return _call(annotator, clips, prepared)
    except UsageError:
        raise
    except Exception as error:
        if len(clips) == 1:
            if not isinstance(error, ClipError):
                log.warning("%s failed on clip %s", way.key, clips[0].id, exc_info=error)
            return [(_as_clip_error(error), None)]
    gc.collect()
    half = len(clips) // 2
    parts = (clips[:half], clips[half:])
    return [
        found
        for part in parts
        for found in _run_batch(annotator, way, part, seconds * len(part) / len(clips), guard, None)
    ]


def _call(annotator: Annotator[Any], clips: list[Clip], prepared: Callable[[], Any] | None) -> list[Found]:
    pairs: list[tuple[Any, Samples | None]]
    if isinstance(annotator, SoundAnnotator):
        heard = list(annotator.hear(clips))
        pairs = [(h.row, h.samples) if isinstance(h, Heard) else (h, None) for h in heard]
    elif isinstance(annotator, BatchedAnnotator) and prepared is not None:
        pairs = [(outcome, None) for outcome in annotator.infer(clips, prepared())]
    else:
        pairs = [(outcome, None) for outcome in annotator.annotate(clips)]
    if len(pairs) != len(clips):
        raise ClipError("bad_batch", f"{len(clips)} clips went in, {len(pairs)} rows came out")
    return [(_checked(o), None if s is None else Pcm.of(s)) for o, s in pairs]


def _checked(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Row) and (broken := fault(outcome)):
        return ClipError("bad_row", broken)
    return outcome


def _as_clip_error(error: Exception) -> ClipError:
    if isinstance(error, ClipError):
        return error
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return ClipError("oom", "the clip does not fit into memory")
    code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
    return ClipError(code, " ".join(str(error).split())[:300] or type(error).__name__)


def _absent(outcome: Outcome) -> Absent:
    found = absence(outcome)
    assert found is not None
    return found


def _is_failed(found: Row | Absent) -> bool:
    return isinstance(found, Absent) and found.status not in (OK, SKIPPED)
