"""Which shard each clip belongs to: the one it has been in, else a new one behind all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pipeline import manifest
from pipeline.layout import Digests, Laid, Layout
from pipeline.packs import PACK_BYTES, PACK_SHARDS
from pipeline.rundir import MANIFEST
from pipeline.source.base import Item
from pipeline.storage import Store

T = TypeVar("T")

AT_ONCE = 2000
"""Clips looked up together."""
WRITERS = 16
"""Requests at once to a file system that is far away."""


def place(
    store: Store,
    items: Iterable[Item],
    size: int,
    old: Layout,
    fuller: Layout | None = None,
    *,
    dry: bool = False,
) -> Layout:
    """The items in shards, `old` itself where nothing is new; new shards take `size` clips.

    `fuller` has the shards of `old` with clips that went away since, which may come back.

    Writes the clips of shards that are new, unless `dry`. Holds some digests for each clip, and of the
    clips themselves one shard and what changed in shards that are not yet complete.
    """
    with _Manifests(store, dry) as written:
        return _Placing(store, size, old, old if fuller is None else fuller, written).of(items)


def groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in groups of `size`, in order; the last may be smaller. Nothing is held beyond one group."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


class _Placing:
    """The items of a source on their way into shards."""

    def __init__(self, store: Store, size: int, now: Layout, old: Layout, written: _Manifests) -> None:
        self._store, self._size, self._old, self._written = store, size, old, written
        self._now = now
        self._current = {} if now is old else {laid.shard.index: laid for laid in now}
        self._starts = old.starts()
        self._order = np.argsort(old.ids, kind="stable")
        self._sorted = old.ids[self._order]
        self._seen = np.zeros(len(old.ids), bool)
        self._left = np.diff(self._starts)  # clips of each old shard that have not come yet
        self._changed: dict[int, dict[int, Item]] = {}
        self._anew: dict[int, Laid | None] = {}
        self._new: list[Item] = []
        self._added: list[Laid] = []
        self._next = max((shard.index for shard in old.shards), default=-1) + 1

    def of(self, items: Iterable[Item]) -> Layout:
        """The layout of these items."""
        for group in groups(items, AT_ONCE):
            self._take(group)
        self._add(self._new)
        for n in np.flatnonzero(self._left):
            self._make_anew(int(n))
        if not self._anew and not self._added and self._old is self._now:
            return self._now
        stays = (self._anew.get(n, laid) for n, laid in enumerate(self._old))
        found = Layout.of([*(laid for laid in stays if laid is not None), *self._added])
        return self._now if found.shards == self._now.shards else found

    def _take(self, items: Sequence[Item]) -> None:
        slots = self._slots(np.array([manifest.id_digest(item.id) for item in items], np.uint64))
        known = slots >= 0
        there = slots[known]
        lines = np.array([manifest.line_digest(item) for item in items], np.uint64)
        same = np.zeros(len(items), bool)
        same[known] = lines[known] == self._old.lines[there]
        self._seen[there] = True
        shards = np.searchsorted(self._starts, slots, side="right") - 1
        np.subtract.at(self._left, shards[known], 1)
        for i in np.flatnonzero(known & ~same):
            self._changed.setdefault(int(shards[i]), {})[int(slots[i])] = items[int(i)]
        for n in [n for n in self._changed if not self._left[n]]:
            self._make_anew(n)
        for i in np.flatnonzero(~known):
            self._new.append(items[int(i)])
            if len(self._new) == self._size:
                self._add(self._new)

    def _slots(self, ids: Digests) -> npt.NDArray[np.int64]:
        """Where clips stood among those of the old plan; -1 for new ones, and for one that came already."""
        if not len(self._sorted):
            return np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(self._sorted, ids), len(self._sorted) - 1)
        slots = np.where(self._sorted[at] == ids, self._order[at], -1)
        first = np.zeros(len(ids), bool)
        first[np.unique(slots, return_index=True)[1]] = True
        return np.where(first & ~self._seen[slots], slots, -1)

    def _make_anew(self, n: int) -> None:
        """An old shard with the clips that have changed, without those that are gone."""
        shard, start = self._old.shards[n], int(self._starts[n])
        changed = self._changed.pop(n, {})
        seen = self._seen[start : self._starts[n + 1]]
        self._left[n] = 0
        if not seen.any():
            self._anew[n] = None
            return
        lines = self._old.lines[start : self._starts[n + 1]].copy()
        for slot, item in changed.items():
            lines[slot - start] = manifest.line_digest(item)
        current = self._current.get(shard.index)
        if current is not None and np.array_equal(lines[seen], current.lines):
            self._anew[n] = current
            return
        there = manifest.read_shard(self._store, shard)
        items = [changed.get(start + i, item) for i, item in enumerate(there) if seen[i]]
        self._anew[n] = self._written.add(shard.index, items)

    def _add(self, items: list[Item]) -> None:
        if items:
            self._added.append(self._written.add(self._next, items))
            self._next += 1
            items.clear()


class _Manifests:
    """Writes the clips of shards: a thousand shards in one pack, fewer by themselves."""

    def __init__(self, store: Store, dry: bool) -> None:
        self._store, self._dry = store, dry
        self._have: set[str] | None = None
        self._held: dict[str, bytes] = {}
        self._block = -1

    def __enter__(self) -> _Manifests:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()

    def add(self, index: int, items: Sequence[Item]) -> Laid:
        """The shard of these clips, written by the end at the latest."""
        laid = manifest.laid_out(index, items)
        if self._dry:
            return laid
        if self._have is None:
            self._have = self._store.names(MANIFEST)
        if laid.shard.manifest not in self._have:
            full = sum(map(len, self._held.values())) > PACK_BYTES
            if full or index // PACK_SHARDS != self._block:
                self._flush()
                self._block = index // PACK_SHARDS
            self._held[laid.shard.manifest] = manifest.encoded(items)
        return laid

    def _flush(self) -> None:
        """A pack where it is worth one."""
        start = len(MANIFEST) + 1
        if len(self._held) == PACK_SHARDS or sum(map(len, self._held.values())) > PACK_BYTES:
            self._store.pack(MANIFEST, {path[start:]: data for path, data in self._held.items()})
        elif self._store.is_local:
            for path, data in self._held.items():
                self._store.write(path, data)
        else:
            with ThreadPoolExecutor(WRITERS) as threads:
                list(threads.map(lambda file: self._store.write(*file), self._held.items()))
        self._held = {}
