"""A sample of a stream: the same whatever the order, of the same size whatever the length."""

from __future__ import annotations

import hashlib
import heapq


class Sample:
    """Of all that was added, the `size` whose ids come first by a seeded hash."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size, self._seed = size, seed
        self._heap: list[tuple[int, str, str]] = []
        self.seen = 0

    def add(self, id: str, text: str) -> None:
        """Consider a text."""
        self.seen += 1
        digest = hashlib.blake2b(f"{self._seed}\0{id}".encode("utf-8", "surrogatepass"), digest_size=8)
        entry = (-int.from_bytes(digest.digest()), id, text)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def texts(self) -> list[str]:
        """The sample, in the order of the hash."""
        return [text for _, _, text in sorted(self._heap, reverse=True)]
