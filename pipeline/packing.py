"""Files of finished shards into packs."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.packs import PACK_BYTES
from pipeline.storage import Store

READ_AT_ONCE = 50
"""Files, by as many requests at once as the file system takes."""
WORTH_IT = 10
"""A few that were computed again after the others had been packed stay as they are: less than one in ten."""


def pack_up(store: Store, folder: str, paths: Iterable[str]) -> None:
    """Put those of these files that lie in the folder by themselves into packs, then remove them.

    Raises FileNotFoundError where somebody else packs them at the same time; what is packed stays whole.
    """
    wanted = set(paths)
    plain = sorted(store.files(folder) & wanted)
    if len(plain) * WORTH_IT < len(wanted):
        return
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
