"""Marks of rows that were computed again since go; the others stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import again
from pipeline.rundir import Shard
from pipeline.storage import Store
from tests.listings import listings

KEYS = ("peak-fake@1", "tone-fake@2")


def test_marks_go_once_their_rows_are_there_by_one_listing_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    shards = [Shard(n, f"{n:012x}", 1) for n in range(20)]
    for shard in shards:
        for key in KEYS:
            store.write(shard.again(key), b"")
            if shard.index % 2:
                store.write(shard.sidecar(key), b"")
    listed = listings(monkeypatch)
    again.sweep(store, shards, KEYS)
    assert sorted(listed) == sorted(["again", *KEYS])
    assert again.marked(store) == {s.again(key) for s in shards for key in KEYS if s.index % 2 == 0}
