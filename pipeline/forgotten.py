"""Clips a run has been told to forget: by digest, so that the list itself names nobody.

A forgotten clip leaves a gap where it stood among the clips of its source. So the clips behind it stay
in their shards, whether the source still yields it or not, and nothing of theirs is computed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from pipeline.source.base import Item
from pipeline.storage import Store

FORGOTTEN = "forgotten.json"


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Where a forgotten clip stood, from 0. `uncut`: its shard was looked through for utterances."""

    position: int
    digest: str
    uncut: bool = False


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`items` of the source, and `clips` as they are after long recordings were cut."""

    items: tuple[Gap, ...] = ()
    clips: tuple[Gap, ...] = ()


def digest(clip_id: str) -> str:
    """Of an id."""
    return hashlib.blake2b(clip_id.encode(), digest_size=16).hexdigest()


def read(store: Store) -> Forgotten:
    """What the run has forgotten."""
    if not store.exists(FORGOTTEN):
        return Forgotten()
    facts = json.loads(store.read(FORGOTTEN))
    return Forgotten(*(tuple(Gap(**gap) for gap in facts[name]) for name in ("items", "clips")))


def write(store: Store, forgotten: Forgotten) -> None:
    """Keep it."""
    facts = {"items": sorted(set(forgotten.items)), "clips": sorted(set(forgotten.clips))}
    store.write(
        FORGOTTEN, json.dumps({k: [asdict(g) for g in v] for k, v in facts.items()}, indent=1).encode()
    )


def with_gaps(items: Iterable[Item], gaps: Sequence[Gap]) -> Iterator[Item | None]:
    """The items without the forgotten ones; None where one of them stood."""
    gone, positions = {gap.digest for gap in gaps}, {gap.position for gap in gaps}
    at = 0
    for item in items:
        if gone and digest(item.id) in gone:
            continue
        while at in positions:
            yield None
            at += 1
        yield item
        at += 1
