"""What of a run is there already: one listing a folder, one bit a shard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.ahead import in_order
from pipeline.rundir import Shard
from pipeline.storage import Store

AT_ONCE = 4
"""Folders, where it is the waiting that takes time."""
Bits = npt.NDArray[np.bool_]  # [n_shards]


def present(store: Store, shards: Sequence[Shard], keys: Iterable[str]) -> dict[str, Bits]:
    """For each way's key, which shards have its sidecar. Holds the names of a few folders at a time."""
    keys = list(keys)
    if not shards:
        return {key: np.zeros(0, bool) for key in keys}
    listed = in_order(
        lambda key: _bits(store.names(key), shards, key), keys, 1 if store.is_local else AT_ONCE
    )
    return dict(zip(keys, listed, strict=True))


def _bits(names: set[str], shards: Sequence[Shard], key: str) -> Bits:
    return np.fromiter((shard.sidecar(key) in names for shard in shards), bool, len(shards))
