"""A cause of leaving clips out of an export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import pyarrow as pa

from pipeline.rundir import Shard


class Reason(NamedTuple):
    """Why a clip is left out. `kind` is a short stable word to count by."""

    kind: str
    text: str


class Gate(Protocol):
    """One cause of leaving clips out."""

    @property
    def columns(self) -> Sequence[str]:
        """The columns it reads."""
        ...

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """Why each row is left out; only rows that are `open_` count, and are seen."""
        ...
