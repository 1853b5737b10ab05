"""Which clips a person is shown: a seeded few, by chance, by a label, by doubt, or by what went wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.captions.sample import Sample, rank
from jobs.export.dataset import Dataset
from jobs.export.hallucinated import COLUMNS as OF_WORDS
from jobs.export.hallucinated import suspicion
from jobs.report.columns import CONFIDENCES
from pipeline.errors import OptionError, RunError, unknown_column
from pipeline.join import root_cause
from pipeline.rundir import Shard

RANDOM, LABEL, DOUBT, FAULT = "random", "label", "low-confidence", "failed-check"
_WAYS = (RANDOM, f"{LABEL}=COLUMN:VALUE", DOUBT, FAULT)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A clip to review. `row` is its line of the dataset; `key` names it in addresses, `why` says what it
    was chosen for."""

    key: str
    id: str
    shard: Shard
    number: int
    why: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Place:
    id: str
    at: int
    shard: Shard
    number: int
    why: str


def sample(dataset: Dataset, size: int, by: str, seed: int) -> list[Sampled]:
    """At most `size` clips, in the order they are shown. The same dataset and seed, the same clips.

    Raises OptionError for a way of choosing that does not exist, RunError where it finds no clip.
    """
    chosen = _chosen(dataset, size, by, seed)
    if not chosen:
        raise RunError(f"No clip of {dataset.store.url} is there to review by {by}.")
    rows = dataset.at({place.at for place in chosen})
    return [Sampled(_key(p.id), p.id, p.shard, p.number, p.why, rows[p.at]) for p in chosen]


def _key(id: str) -> str:
    return hashlib.blake2b(id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _chosen(dataset: Dataset, size: int, by: str, seed: int) -> list[_Place]:
    if by == DOUBT:
        return _doubtful(dataset, size, seed)
    columns, why = _reason(dataset, by)
    kept: Sample[_Place] = Sample(size, seed)
    for place, row in _places(dataset, columns):
        if (reason := why(row)) is not None:
            kept.add(place.id, _Place(place.id, place.at, place.shard, place.number, reason))
    return kept.kept


def _places(dataset: Dataset, columns: list[str]) -> Iterator[tuple[_Place, dict[str, Any]]]:
    at = 0
    for shard, table in dataset.by_shard(columns):
        for number, row in enumerate(table.to_pylist()):
            yield _Place(str(row["id"]), at + number, shard, number, ""), row
        at += shard.clips


def _reason(dataset: Dataset, by: str) -> tuple[list[str], Callable[[Mapping[str, Any]], str | None]]:
    """The columns to read, and why a row is chosen; None where it is not."""
    if by == RANDOM:
        return [], lambda row: ""
    have = dataset.schema.names
    if by == FAULT:
        return [n for n in ("error", "caption_faults", *OF_WORDS) if n in have], _fault
    name, equals, wanted = by.partition("=")
    column, colon, value = wanted.partition(":")
    if name != LABEL or not equals or not colon:
        raise OptionError(f"--by takes {', '.join(_WAYS)}, not {by!r:.80}.")
    if column not in have:
        raise unknown_column(column, have)
    return [column], lambda row: "" if str(row[column]) == value else None


def _fault(row: Mapping[str, Any]) -> str | None:
    """What a check found: a failure, a caption that was not kept, words that nobody can have said."""
    if row.get("error"):
        return root_cause(str(row["error"]))
    if row.get("caption_faults"):
        return f"A caption was not kept: {row['caption_faults'][-1]}"
    return suspicion(row)


def _doubtful(dataset: Dataset, size: int, seed: int) -> list[_Place]:
    """Those of lowest confidence, each kind of confidence compared with its own kind only."""
    columns = [name for name in CONFIDENCES if name in dataset.schema.names]
    table = [[row[name] for name in columns] for _, row in _places(dataset, columns)]
    values = np.array(table, np.float64).reshape(len(table), len(columns))  # [n_clips, n_kinds], NaN: none
    shares = np.stack([_shares(values[:, k]) for k in range(len(columns))], axis=1) if columns else values
    least = np.min(np.where(np.isnan(shares), 2.0, shares), axis=1, initial=2.0)  # [n_clips], 2: none
    wanted = set(np.argsort(least, kind="stable")[: 4 * size].tolist())
    found = []
    for place, _ in _places(dataset, []):
        if place.at in wanted and least[place.at] <= 1:
            kind = int(np.nanargmin(shares[place.at]))
            why = f"{CONFIDENCES[columns[kind]]}: confidence {values[place.at, kind]:.2f}"
            found.append((least[place.at], rank(seed, place.id), place, why))
    found.sort(key=lambda entry: entry[:2])
    return [_Place(p.id, p.at, p.shard, p.number, why) for _, _, p, why in found[:size]]


def _shares(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The share of the clips with a value that have a lower one, 0..1; NaN where there is none."""
    known = np.sort(values[~np.isnan(values)])
    return np.where(np.isnan(values), np.nan, np.searchsorted(known, values) / max(1, len(known)))
