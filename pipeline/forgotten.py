"""Clips a run has been told to forget: by digest, so that the list itself names nobody."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Set

from pipeline.source.base import Item
from pipeline.storage import Store

FORGOTTEN = "forgotten.json"


def digest(clip_id: str) -> str:
    """Of an id."""
    return hashlib.blake2b(clip_id.encode(), digest_size=16).hexdigest()


def read(store: Store) -> frozenset[str]:
    """The digests of what the run has forgotten: recordings of the source, and clips cut out of them."""
    try:
        return frozenset(json.loads(store.read(FORGOTTEN))["digests"])
    except FileNotFoundError:
        return frozenset()


def write(store: Store, digests: Set[str]) -> None:
    """Keep it."""
    store.write(FORGOTTEN, json.dumps({"digests": sorted(digests)}, indent=1).encode())


def without(items: Iterable[Item], gone: Set[str]) -> Iterator[Item]:
    """The items that are not forgotten."""
    return (item for item in items if not gone or digest(item.id) not in gone)
