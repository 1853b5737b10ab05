"""Every computation of an annotator, one line each in a file that only grows, whoever dies."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.clip import Clip

LEDGER = "SPEECHCRAFT_TEST_LEDGER"
PAUSE_S = "SPEECHCRAFT_TEST_PAUSE_S"
"""Before each batch of sound: faults must find somebody at work."""


def note(family: str, clips: Sequence[Clip]) -> None:
    """Say that these clips are about to be annotated; in one write, so that no two writers mix lines."""
    if path := os.environ.get(LEDGER):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(file, "".join(f"{family} {clip.id}\n" for clip in clips).encode())
        os.close(file)
    time.sleep(float(os.environ.get(PAUSE_S, "0")))


class Ledger:
    """The file as a reader sees it."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self.path = path
        self.calls: Counter[tuple[str, str]] = Counter()
        self._read = 0

    def look(self) -> Ledger:
        """Take in what was added; a line that is not yet whole is left for the next time."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            lines, newline, _ = file.read().rpartition(b"\n")
        self._read += len(lines) + len(newline)
        self.calls.update((family, clip) for family, clip in map(str.split, lines.decode().splitlines()))
        return self

    def reached(self, family: str) -> int:
        """Clips that the family has begun."""
        return sum(name == family for name, _ in self.calls)

    def again(self, pool_of: Mapping[str, str], shard_of: Callable[[str], int]) -> Counter[tuple[str, int]]:
        """How often more than once each shard was computed in each pool, in whole or in part."""
        found: Counter[tuple[str, int]] = Counter()
        for (family, clip), times in self.calls.items():
            if times > 1:
                key = pool_of[family], shard_of(clip)
                found[key] = max(found[key], times - 1)
        return found
