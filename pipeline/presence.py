"""What of a run is there already: one listing a folder, one bit a shard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.rundir import Shard
from pipeline.storage import Store

Bits = npt.NDArray[np.bool_]  # [n_shards]


def present(store: Store, shards: Sequence[Shard], keys: Iterable[str]) -> dict[str, Bits]:
    """For each way's key, which shards have its sidecar. Holds the names of one folder at a time."""
    return {key: _bits(store.names(key), shards, key) for key in keys}


def _bits(names: set[str], shards: Sequence[Shard], key: str) -> Bits:
    return np.fromiter((shard.sidecar(key) in names for shard in shards), bool, len(shards))
