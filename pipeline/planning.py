"""From a source to the run's shards: read, cut what is long, group, number.

A clip that an earlier plan has stays in its shard, wherever the source has it now. So new clips make new
shards at the end, and one that changed or went away makes its own shard anew and no other. One that comes
back, after a call with less of the source, is where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline import forgotten, layout, manifest, sidecar
from pipeline.clip import AudioRef
from pipeline.layout import Layout
from pipeline.placing import place
from pipeline.rows import Cut, Span
from pipeline.rundir import INDEX, MANIFEST, SOURCE, Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import Way


@dataclass(frozen=True, slots=True)
class Planned:
    """A shard of the source, and whether anything in it must be cut first."""

    shard: Shard
    uncut: bool


def plan_source(
    store: Store, items: Iterable[Item], size: int, longest_s: float = float("inf"), *, dry: bool = False
) -> list[Planned]:
    """The source's items as shards, the forgotten left out; recordings over `longest_s` are to be cut.

    Their clips are written where they are not yet, unless it is only to be known what would be: `dry`.
    """
    found = _plan(store, items, size, SOURCE, dry=dry)
    return [Planned(*pair) for pair in zip(found.shards, found.longest_s > longest_s, strict=True)]


def plan_utterances(
    store: Store, planned: Sequence[Planned], cut: Way | None, size: int, *, dry: bool = False
) -> list[Shard]:
    """The current shards, once every shard with something to cut has its `cut` sidecar."""
    if cut is None or not any(p.uncut for p in planned):
        found = layout.read(store, SOURCE)
        if not dry:
            layout.write(store, INDEX, found)
        return [p.shard for p in planned]
    items = (item for p in planned for item in _cut_up(store, p, cut))
    return _plan(store, items, size, INDEX, dry=dry).shards


def _plan(store: Store, items: Iterable[Item], size: int, path: str, *, dry: bool) -> Layout:
    """The layout of these items, kept if there are any; before it, what is gone from the one it replaces."""
    old, gone = layout.read(store, path), layout.read(store, layout.gone(path))
    fuller = layout.remembered(old, gone, store.names(MANIFEST)) if gone.shards else old
    found = place(store, forgotten.without(items, forgotten.read(store)), size, old, fuller, dry=dry)
    if dry or not found.shards:
        return found
    was = {shard.name for shard in gone.shards}
    clips = {shard.index: shard.clips for shard in found.shards}
    less = [one for one in fuller if one.shard.name in was or clips.get(one.shard.index) != one.shard.clips]
    if [one.shard for one in less] != gone.shards:
        layout.write(store, layout.gone(path), Layout.of(less))
    if found is not old:
        layout.write(store, path, found)
    return found


def _cut_up(store: Store, planned: Planned, cut: Way) -> Iterator[Item]:
    items = manifest.read_shard(store, planned.shard)
    if not planned.uncut:
        yield from items
        return
    try:
        cuts = sidecar.read_rows(store, planned.shard.sidecar(cut.key), Cut)
    except FileNotFoundError:
        yield from items
        return
    for item, found in zip(items, cuts, strict=True):
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
