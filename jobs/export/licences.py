"""Licences of clips, by pattern: `CC0*,CC-BY*`."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import pyarrow as pa

from jobs.export.gate import Reason
from pipeline.rundir import Shard


class LicenceGate:
    """Keeps clips whose licence fits one of the patterns, capitals and spaces aside.

    A clip without a licence fits none. `*` stands for anything, so CC-BY* takes CC-BY-NC too: write
    CC-BY-4.0.
    """

    columns: Sequence[str] = ("licence",)

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [_plain(p) for p in patterns]

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row whose licence fits no pattern."""
        return [self._reason(licence) for licence in rows.column("licence").to_pylist()]

    def _reason(self, licence: str | None) -> Reason | None:
        if licence is None:
            return Reason("licence", "its licence is not known")
        if any(fnmatchcase(_plain(licence), p) for p in self._patterns):
            return None
        return Reason("licence", f"its licence is {licence}")


def _plain(text: str) -> str:
    """CC BY 4.0 and cc-by-4.0 are one."""
    return "-".join(text.casefold().split())
