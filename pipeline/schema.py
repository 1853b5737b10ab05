"""Row dataclasses as Arrow: the schema is declared by the row, never inferred from a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa

from pipeline.rows import Column, Curve, Row

R = TypeVar("R", bound=Row)

GIVEN_COLUMNS = ("speaker", "domain", "title", "category", "source", "licence", "attribution")
"""What the source says of a clip and the dataset repeats."""
CLIP_COLUMNS = ("id", "audio", "offset_s", *GIVEN_COLUMNS, "status", "error", "skipped", "review")
"""The columns of the dataset that belong to no family: no row may have one of their names."""

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
    """The columns of a row type, in order. Raises TypeError for a field without a meaning."""
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
        if column is None or not column.doc:
            raise TypeError(f"{row.__name__}.{item.name} says no Column(doc, unit).")
        kind, nullable = _without_none(get_args(hint)[0])
        infos.append(ColumnInfo(item.name, kind, nullable, column))
    return tuple(infos)


def choices_of(row: type[Row], name: str) -> tuple[str, ...]:
    """The values a column may have; empty where it may hold any."""
    return tuple(c for info in columns_of(row) if info.name == name for c in _choices(info.type))


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
    if isinstance(kind, type) and is_dataclass(kind):
        return pa.struct([(name, arrow_type(inner)) for name, (inner, _) in _struct_fields(kind).items()])
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
        if broken := _misfit(info.type, info.nullable, getattr(row, info.name)):
            return f"{info.name} {broken}"
    return None


def _misfit(kind: Any, nullable: bool, value: object) -> str | None:
    """Why no column of this type can hold the value: `is nan`, `is 'x', not a number`."""
    if value is None:
        return None if nullable else "is null"
    if kind in (float, int, bool, str):
        return _SCALAR_MISFITS[kind](value)
    if kind == Curve:
        return _curve_misfit(value)
    if get_origin(kind) is tuple:
        return _tuple_misfit(get_args(kind)[0], value)
    if is_dataclass(kind):
        return _struct_misfit(kind, value)
    choices = _choices(kind)
    if choices and value not in choices:
        return f"is {value!r:.60}, not one of {', '.join(map(str, choices))}"
    return _text_misfit(value)


def _float_misfit(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, float | int | np.floating | np.integer):
        return f"is {value!r:.60}, not a number"
    if isinstance(value, int):
        return None if abs(value) <= 2**53 else f"is {value!r:.60}, which no float can hold"
    return None if math.isfinite(value) else f"is {value}"


def _int_misfit(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return f"is {value!r:.60}, not a whole number"
    return None if -(2**63) <= value < 2**63 else f"is {value!r:.60}, which 64 bits cannot hold"


def _bool_misfit(value: object) -> str | None:
    return None if isinstance(value, bool | np.bool_) else f"is {value!r:.60}, not true or false"


def _text_misfit(value: object) -> str | None:
    if not isinstance(value, str):
        return f"is {value!r:.60}, not text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    return None


_SCALAR_MISFITS: dict[Any, Callable[[object], str | None]] = {
    float: _float_misfit,
    int: _int_misfit,
    bool: _bool_misfit,
    str: _text_misfit,
}


def _curve_misfit(value: object) -> str | None:
    if not isinstance(value, np.ndarray) or value.ndim != 1 or value.dtype.kind not in "fiu":
        return "is not an array of numbers with one axis"
    return None if np.all(np.isfinite(value)) else "holds values that are not finite"


def _tuple_misfit(kind: Any, value: object) -> str | None:
    if not isinstance(value, tuple | list):
        return f"is {value!r:.60}, not a tuple"
    return next((f"[{i}] {broken}" for i, v in enumerate(value) if (broken := _misfit(kind, False, v))), None)


def _struct_misfit(kind: Any, value: object) -> str | None:
    if not isinstance(value, kind):
        return f"is {value!r:.60}, not a {kind.__name__}"
    for name, (inner, nullable) in _struct_fields(kind).items():
        if broken := _misfit(inner, nullable, getattr(value, name)):
            return f"{name} {broken}"
    return None


@cache
def _struct_fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(kind)
    return {f.name: _without_none(hints[f.name]) for f in fields(kind)}


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
    if get_origin(kind) in (Union, UnionType) and str not in get_args(kind):
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
