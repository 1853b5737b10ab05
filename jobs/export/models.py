"""The models a run was made with, and which columns a non-commercial licence reaches."""

from __future__ import annotations

from typing import Any

import annotators
from pipeline.schema import columns_of


def noncommercial(record: dict[str, Any]) -> dict[str, str]:
    """Columns made by, or from what was made by, a model that may not be used commercially; and by which.

    A caption that tells an emotion was made from it: what reads such a column, directly or not, counts.
    """
    reached = _families(record)
    found: dict[str, str] = {}
    for family, why in reached.items():
        for entry in record["annotators"][family]:
            row = annotators.load(family, entry["module"]).row
            found |= {c.name: why for c in columns_of(row) if c.column.joined}
    return found


def _families(record: dict[str, Any]) -> dict[str, str]:
    ways = record["annotators"]
    reached = {
        family: f"{family} by {model['name']}"
        for family, entries in ways.items()
        for entry in entries
        for model in entry["models"]
        if not model["commercial"]
    }
    reads = {f: {r for e in entries for r in _reads(f, e)} for f, entries in ways.items()}
    grew = True
    while grew:
        more = {
            f: f"{f} from {min(hit)}" for f in reads if f not in reached and (hit := reads[f] & set(reached))
        }
        reached |= more
        grew = bool(more)
    return reached


def _reads(family: str, entry: dict[str, Any]) -> set[str]:
    cls = annotators.load(family, entry["module"])
    return {row.family for row in (*cls.needs, *cls.wants)}
