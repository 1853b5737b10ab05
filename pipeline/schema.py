"""Row dataclasses as Arrow: the schema is declared by the row, never inferred from a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa

from pipeline.rows import Column, Curve, Row

R = TypeVar("R", bound=Row)

_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A field of a row as a column. `nullable`: whether an annotated clip may have none."""

    name: str
    type: Any
    nullable: bool
    column: Column

    @property
    def arrow(self) -> pa.Field[Any]:
        """The Arrow field, its meaning and unit in the metadata. A failed clip's value is null."""
        return pa.field(
            self.name, arrow_type(self.type), metadata={"doc": self.column.doc, "unit": self.column.unit}
        )


def columns_of(row: type[Row]) -> tuple[ColumnInfo, ...]:
    """The columns of a row type, in order. Raises TypeError for a field without a `Column`."""
    if row not in _COLUMNS:
        _COLUMNS[row] = _read_columns(row)
    return _COLUMNS[row]


_COLUMNS: dict[type[Row], tuple[ColumnInfo, ...]] = {}


def _read_columns(row: type[Row]) -> tuple[ColumnInfo, ...]:
    hints = get_type_hints(row, include_extras=True)
    infos = []
    for item in fields(row):
        hint = hints[item.name]
        extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        column = next((e for e in extras if isinstance(e, Column)), None)
        if column is None:
            raise TypeError(f"{row.__name__}.{item.name} says no Column(doc, unit).")
        kind, nullable = _without_none(get_args(hint)[0])
        infos.append(ColumnInfo(item.name, kind, nullable, column))
    return tuple(infos)


def arrow_type(kind: Any) -> pa.DataType:
    """The Arrow type of a Python annotation; TypeError for one no column can hold."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == Curve:
        return pa.list_(pa.float32())
    origin = get_origin(kind)
    if origin is Literal or (origin in (Union, UnionType) and _all_text(kind)):
        return pa.string()
    if origin is tuple:
        return pa.list_(arrow_type(get_args(kind)[0]))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return pa.struct([(f.name, arrow_type(_without_none(hints[f.name])[0])) for f in fields(kind)])
    raise TypeError(f"No column can hold {kind!r}.")


def to_arrays(row: type[R], rows: Sequence[R | None]) -> list[pa.Array[Any]]:
    """One array per column; a None row is null everywhere."""
    return [
        pa.array([None if r is None else _plain(getattr(r, c.name)) for r in rows], arrow_type(c.type))
        for c in columns_of(row)
    ]


def from_table(row: type[R], table: pa.Table) -> list[R]:
    """The rows of a table that holds the columns of `row`, one per line, nulls as None."""
    infos = columns_of(row)
    values = [_column_values(c.type, table.column(c.name)) for c in infos]
    return [row(*line) for line in zip(*values, strict=True)]


def fault(row: Row) -> str | None:
    """What breaks the contract of this row, in a few words; None if nothing does."""
    for info in columns_of(type(row)):
        value = getattr(row, info.name)
        if value is None:
            if not info.nullable:
                return f"{info.name} is null"
        elif isinstance(value, float) and not math.isfinite(value):
            return f"{info.name} is {value}"
        elif (choices := _choices(info.type)) and value not in choices:
            return f"{info.name} is {value!r}, not one of {', '.join(map(str, choices))}"
    return None


def _without_none(kind: Any) -> tuple[Any, bool]:
    if get_origin(kind) not in (Union, UnionType):
        return kind, False
    parts = [k for k in get_args(kind) if k is not NoneType]
    nullable = len(parts) < len(get_args(kind))
    return (parts[0] if len(parts) == 1 else Union[tuple(parts)]), nullable  # noqa: UP007 - built at run time


def _all_text(kind: Any) -> bool:
    return all(get_origin(k) is Literal or k is str for k in get_args(kind))


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return tuple(c for k in get_args(kind) for c in _choices(k))
    return ()


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _column_values(kind: Any, column: pa.ChunkedArray[Any]) -> list[Any]:
    if kind == Curve:
        return [None if v.values is None else np.asarray(v.values, np.float32) for v in column]
    values = column.to_pylist()
    if get_origin(kind) is tuple:
        inner: Any = get_args(kind)[0]
        if is_dataclass(inner):
            make: Any = inner
            return [None if v is None else tuple(make(**item) for item in v) for v in values]
        return [None if v is None else tuple(v) for v in values]
    return values
