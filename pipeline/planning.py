"""From a source to the run's shards: read, cut what is long, group, number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline import forgotten, manifest, sidecar
from pipeline.clip import AudioRef
from pipeline.forgotten import Gap
from pipeline.job import Way
from pipeline.rows import Cut, Span
from pipeline.rundir import MANIFEST, Shard
from pipeline.source.base import Item
from pipeline.storage import Store


@dataclass(frozen=True, slots=True)
class Planned:
    """A shard of the source, and whether anything in it must be cut first."""

    shard: Shard
    uncut: bool


def plan_source(
    store: Store, items: Iterable[Item], size: int, needs_cut: Callable[[Item], bool]
) -> list[Planned]:
    """Write the source's items as shards; those already written are left alone, the forgotten left out."""
    return _plan(store, items, size, needs_cut, forgotten.read(store).items)


def _plan(
    store: Store, items: Iterable[Item], size: int, needs_cut: Callable[[Item], bool], gaps: Sequence[Gap]
) -> list[Planned]:
    have = store.names(MANIFEST)
    looked_through = {gap.position // size for gap in gaps if gap.uncut}
    planned = []
    for index, slots in enumerate(manifest.shards_of(forgotten.with_gaps(items, gaps), size)):
        group = [item for item in slots if item is not None]
        if not group:
            continue
        shard = manifest.shard_of(index, group)
        if shard.manifest not in have:
            manifest.write_shard(store, shard, group)
        planned.append(Planned(shard, index in looked_through or any(needs_cut(item) for item in group)))
    return planned


def plan_utterances(store: Store, planned: Sequence[Planned], cut: Way, size: int) -> list[Shard]:
    """The shards of utterances, once every shard with something to cut has its `cut` sidecar."""
    items = (item for p in planned for item in _cut_up(store, p, cut))
    return [p.shard for p in _plan(store, items, size, lambda _: False, forgotten.read(store).clips)]


def is_long(item: Item, max_s: float) -> bool:
    """Whether a recording must be looked at: not already a piece, and not known to be short."""
    if item.problem is not None or item.audio.offset_s is not None or item.audio.span_s is not None:
        return False
    return item.recording_s is None or item.recording_s > max_s


def _cut_up(store: Store, planned: Planned, cut: Way) -> Iterator[Item]:
    items = manifest.read_shard(store, planned.shard)
    if not planned.uncut:
        yield from items
        return
    path = planned.shard.sidecar(cut.key)
    if not store.exists(path):
        yield from items
        return
    for item, found in zip(items, sidecar.read_rows(store, path, Cut), strict=True):
        if isinstance(found, Cut):
            yield from _utterances(item, found)
        else:
            yield item


def _utterances(item: Item, cut: Cut) -> Iterator[Item]:
    """The item's utterances. The text of a whole recording belongs to none of them.

    An utterance is named by where it starts, in ms, so that its name outlives other cuts of the
    same recording. A recording in which nobody speaks stays one clip, which says so in its rows.
    """
    if len(cut.spans) == 0 or cut.spans == (Span(0.0, cut.recording_s),):
        yield replace(item, recording_s=cut.recording_s)
        return
    given = replace(item.given, text=None, emphasis_word=None)
    for span in cut.spans:
        audio: AudioRef = replace(item.audio, offset_s=span.offset_s, span_s=span.span_s)
        name = f"{item.id}@{round(span.offset_s * 1000):08d}"
        yield replace(item, id=name, audio=audio, given=given, recording_s=cut.recording_s)
