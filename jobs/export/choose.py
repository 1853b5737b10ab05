"""Which clips are left out of an export, each with its reason. What comes first stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from jobs.export import duplicates
from jobs.export.conditions import Condition, parse
from jobs.export.dataset import Dataset
from jobs.export.gate import Gate, Reason
from jobs.export.hallucinated import HallucinatedGate
from jobs.export.licences import LicenceGate
from jobs.export.request import Request
from pipeline.rundir import Shard


@dataclass(frozen=True, slots=True)
class FilterGate:
    """A condition a person wrote."""

    condition: Condition

    @property
    def columns(self) -> Sequence[str]:
        """The columns it compares."""
        return sorted(self.condition.columns)

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row that does not meet it."""
        reason = Reason("filter", f"not {self.condition.text}")
        return [None if met else reason for met in self.condition.mask(rows).to_pylist()]


class Chooser:
    """All gates, in the order a clip is told of them: licence, filter, quality, caption, duplicates."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._gates = gates
        self.columns = list(dict.fromkeys(name for gate in gates for name in gate.columns))

    def reasons(self, shard: Shard, rows: pa.Table) -> list[Reason | None]:
        """Why each row is left out; None for one that stays."""
        found: list[Reason | None] = [None] * rows.num_rows
        for gate in self._gates:
            given = gate.reasons(shard, rows, [f is None for f in found])
            found = [f or g for f, g in zip(found, given, strict=True)]
        return found


def chooser(dataset: Dataset, request: Request) -> Chooser:
    """What the request leaves out. Raises UsageError for a filter that cannot be understood."""
    gates: list[Gate] = []
    if request.licence:
        gates.append(LicenceGate(request.licence))
    if request.filter is not None:
        gates.append(FilterGate(parse(request.filter, dataset.schema)))
    if "hallucinated" in request.drop:
        gates.append(HallucinatedGate(dataset.schema.names))
    if request.to == "paper":
        from jobs.export.forms.paper import CaptionGate

        gates.append(CaptionGate(dataset.schema.names))
    return Chooser([*gates, *duplicates.gates(dataset, request.dedupe)])
