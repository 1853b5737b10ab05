"""Files of finished shards into packs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pipeline.packs import PACK_BYTES
from pipeline.storage import Store

READ_AT_ONCE = 50
"""Files, by as many requests at once as the file system takes."""
WORTH_IT = 10
"""A few that were computed again after the others had been packed stay as they are: less than one in ten."""


def pack_up(store: Store, folder: str, groups: Iterable[Collection[str]]) -> None:
    """Of each group of files, put those that lie in the folder by themselves into packs, then remove them.

    One listing for all. Raises FileNotFoundError where somebody else packs them at the same time; what is
    packed stays whole.
    """
    there = store.files(folder)
    for group in groups:
        plain = sorted(there.intersection(group))
        if plain and len(plain) * WORTH_IT >= len(group):
            _pack(store, folder, plain)


def _pack(store: Store, folder: str, plain: list[str]) -> None:
    held: dict[str, bytes] = {}
    for at in range(0, len(plain), READ_AT_ONCE):
        some = plain[at : at + READ_AT_ONCE]
        held.update(zip(some, store.read_plain(some), strict=True))
        if sum(map(len, held.values())) > PACK_BYTES:
            _write(store, folder, held)
            held = {}
    if held:
        _write(store, folder, held)


def _write(store: Store, folder: str, held: dict[str, bytes]) -> None:
    start = len(folder) + 1
    store.pack(folder, {path[start:]: data for path, data in held.items()})
    store.remove_plain(held)
