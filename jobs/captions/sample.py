"""A sample of a stream: the same whatever the order, of the same size whatever the length."""

from __future__ import annotations

import hashlib
import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


def rank(seed: int, id: str) -> int:
    """Where an id stands in a seeded order that has nothing to do with the corpus's own; 64 bits."""
    text = f"{seed}\0{id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


class Sample(Generic[T]):
    """Of all that was added, the `size` whose ids come first by a seeded hash."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size, self._seed = size, seed
        self._heap: list[tuple[int, str, T]] = []
        self.seen = 0

    def add(self, id: str, one: T) -> None:
        """Consider one; no two may have the same id."""
        self.seen += 1
        entry = (-rank(self._seed, id), id, one)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def kept(self) -> list[T]:
        """The sample, in the order of the hash."""
        return [one for _, _, one in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
