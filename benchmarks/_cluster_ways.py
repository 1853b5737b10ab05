"""An annotator that takes its time and no processor: what many slots of a cluster do, in few processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Column, Row


@dataclass(frozen=True, slots=True)
class Slept(Row):
    """How long it slept."""

    slept_s: Annotated[float, Column("sleep", "s")]


class Sleeper(Annotator[Slept]):
    """Sleeps for each batch."""

    row = Slept
    version = 1

    def __init__(self, *, sleep_s: Annotated[float, Option("for each batch", "s", low=0.0)] = 1.0) -> None:
        self._sleep_s = sleep_s

    def annotate(self, clips: Sequence[Clip]) -> list[Slept]:
        """One sleep for all."""
        time.sleep(self._sleep_s)
        return [Slept(self._sleep_s) for _ in clips]
