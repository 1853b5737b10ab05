"""Finding what is nearly alike among much: signatures are cut into bands; two that are alike share one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Signature = npt.NDArray[np.uint32]  # [n]


class Kept:
    """The signatures kept so far. About 2 KB of memory for each, of which most are the keys of its bands."""

    def __init__(self, alike: Callable[[Signature, Signature], bool]) -> None:
        self._alike = alike
        self._signatures: list[Signature] = []
        self._names: list[str] = []
        self._buckets: dict[int, list[int]] = {}

    def like(self, signature: Signature, bands: Sequence[int]) -> str | None:
        """The first one kept that is alike, by its name; None if none is."""
        numbers = {n for i, band in enumerate(bands) for n in self._buckets.get(_key(i, band), ())}
        alike = (n for n in sorted(numbers) if self._alike(signature, self._signatures[n]))
        return next((self._names[n] for n in alike), None)

    def keep(self, name: str, signature: Signature, bands: Sequence[int]) -> None:
        """Keep one more."""
        number = len(self._names)
        self._names.append(name)
        self._signatures.append(signature)
        for i, band in enumerate(bands):
            self._buckets.setdefault(_key(i, band), []).append(number)


def _key(place: int, band: int) -> int:
    return place << 64 | band
