"""Which columns an export has, and which of them are classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import pyarrow as pa

from jobs.export.dataset import Dataset
from jobs.export.request import Request
from pipeline import rows
from pipeline.errors import UsageError, unknown_column
from pipeline.schema import columns_of

_SEEN = ("caption_language", "caption_source", "language")
"""Classes whose names are those the dataset holds; of other columns the row type names them."""
MOST_CLASSES = 200


def columns_to_export(dataset: Dataset, request: Request, without: Sequence[str] = ()) -> pa.Schema:
    """The id, then what was asked for, or all; the sound is not a column yet.

    Raises UsageError for a column that does not exist or is left out by its licence.
    """
    schema = dataset.schema
    own = [name for name in schema.names if name not in ("audio", *without)]
    for name in request.columns:
        if name in without:
            raise UsageError(f"The column {name} was made by a model whose licence is non-commercial.")
        if name not in (*own, "audio"):
            raise unknown_column(name, own)
    names = [n for n in own if n in request.columns or n == "id"] if request.columns else own
    return pa.schema([schema.field(name) for name in names])


def classes(dataset: Dataset, schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """The classes of the columns that have them, by column."""
    fixed = {n: c for n, c in _fixed().items() if n in schema.names}
    seen = _seen(dataset, [n for n in _SEEN if n in schema.names])
    return {n: c for n, c in (fixed | seen).items() if 0 < len(c) <= MOST_CLASSES}


def _fixed() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind in vars(rows).values():
        if isinstance(kind, type) and issubclass(kind, rows.Row) and kind is not rows.Row:
            found |= {c.name: names for c in columns_of(kind) if (names := _names(c.type))}
    return found


def _names(kind: Any) -> tuple[str, ...]:
    """The values of a Literal, or of a union of them."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    parts = get_args(kind)
    if not parts or not all(get_origin(p) is Literal for p in parts):
        return ()
    return tuple(name for part in parts for name in get_args(part))


def _seen(dataset: Dataset, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The values of these columns, in order of the alphabet."""
    found: dict[str, set[str]] = {name: set() for name in names}
    if names:
        for table in dataset.tables(names):
            for name in names:
                found[name].update(v for v in table.column(name).unique().to_pylist() if v is not None)
    return {name: tuple(sorted(values)) for name, values in found.items()}
