"""A level that fails on the clips that a file names, for as long as it names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from pipeline.annotator import Annotator, Hears, Skip
from pipeline.clip import Clip
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Energy


class FaultyEnergy(Annotator[Energy]):
    """Each line of the file is `id code`; the code `raise` raises what nobody meant."""

    row = Energy
    version = 1
    hears: ClassVar[Hears | None] = "raw"

    def __init__(
        self,
        *,
        faults: Annotated[str, Option("the file", identity=False)],
        calls: Annotated[str, Option("a file to note each clip in", identity=False)] = "",
        load: Annotated[str, Option("'fail' fails to load", identity=False)] = "",
    ) -> None:
        if load == "fail":
            raise FileNotFoundError("there is no model.bin")
        self._faults, self._calls = Path(faults), calls

    def annotate(self, clips: Sequence[Clip]) -> list[Energy | Skip | ClipError]:
        """The levels."""
        faults = dict(line.split() for line in self._faults.read_text().splitlines())
        return [self._level(clip, faults.get(clip.id)) for clip in clips]

    def _level(self, clip: Clip, fault: str | None) -> Energy | ClipError:
        if self._calls:
            with Path(self._calls).open("a") as file:
                file.write(f"{clip.id}\n")
        if fault == "raise":
            raise ZeroDivisionError("divided by\n\x1b[31mnothing")
        if fault:
            return ClipError(fault, "it was told to")
        return Energy(float(np.sqrt(np.mean(clip.speech**2))), None)
