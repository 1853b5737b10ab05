"""A manifest: one clip per line of a .jsonl, .csv or .tsv, or per row of a .parquet file."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Annotated

from pipeline.errors import ClipError, SourceError
from pipeline.options import Option
from pipeline.source.base import NOWHERE, Item, Source, Unnamed, shown
from pipeline.source.columns import ignored, item_of, names_audio
from pipeline.source.place import MAX_LINE_BYTES, Place, reason
from pipeline.source.tables import TableFile

HEAD_ROWS = 1000
"""So many rows tell which columns a .jsonl file has."""

Row = Mapping[str, object] | ClipError
_BROKEN_LINE = "is not UTF-8 text, or is longer than 16 MiB"


class ManifestSource(Source):
    """One item per row; a row that cannot be used is an item with a problem.

    Relative paths start at the manifest's folder. Columns are known by the names in
    `pipeline.source.columns.NAMES`, whatever their case.
    """

    form = "manifest"

    def __init__(
        self,
        url: str,
        *,
        audio_root: Annotated[
            str | None, Option("where relative audio paths start; the manifest's folder if none is named")
        ] = None,
    ) -> None:
        self._place = Place.at(url)
        self._root = Place.at(audio_root) if audio_root else self._place.folder
        kind = kind_of(self._place.name)
        self._table = TableFile(self._place) if kind == "parquet" else None
        if self._table is not None:
            self.ignored_columns = self._table.ignored_columns
            if self._table.rows == 0:
                raise SourceError(f"The manifest {shown(url)} has no rows.")
        else:
            self._read = {"jsonl": json_rows, "csv": csv_rows, "tsv": tsv_rows}[kind]
            self.ignored_columns = ignored(self._columns())

    def _items(self) -> Iterator[Item]:
        if self._table is not None:
            yield from self._table.items(self._root.sound)
            return
        for number, row in enumerate(rows_of(self._read, self._place), 1):
            name = f"row-{number}"
            if isinstance(row, ClipError):
                yield Unnamed(name, NOWHERE, problem=row)
            else:
                yield item_of(row, self._root.sound, name)

    def _columns(self) -> list[str]:
        """The columns of the first rows, or a SourceError if none of them holds sound."""
        try:
            head = list(islice(self._read(self._place), HEAD_ROWS))
        except _UNREADABLE as error:
            raise SourceError(
                f"The manifest {shown(self._place.url)} cannot be read: {reason(error)}."
            ) from error
        columns = list(dict.fromkeys(c for row in head if not isinstance(row, ClipError) for c in row))
        if not head:
            raise SourceError(f"The manifest {shown(self._place.url)} has no rows.")
        if not names_audio(columns):
            found = ", ".join(shown(c) for c in columns[:20]) or "none that can be read"
            named = f"no column audio (or path, file, wav); it has {found}"
            raise SourceError(f"The manifest {shown(self._place.url)} has {named}.")
        return columns


_UNREADABLE = (OSError, EOFError, zlib.error)


def kind_of(name: str) -> str:
    """jsonl, csv, tsv or parquet, by the file's name; SourceError for any other."""
    suffix = name.lower().removesuffix(".gz").rpartition(".")[2]
    kinds = {"jsonl": "jsonl", "ndjson": "jsonl", "json": "jsonl", "csv": "csv", "tsv": "tsv"}
    if suffix == "parquet" and not name.endswith(".gz"):
        return "parquet"
    if suffix not in kinds:
        raise SourceError(f"{shown(name)} is no manifest: .jsonl, .csv, .tsv (also .gz) and .parquet are.")
    return kinds[suffix]


def rows_of(read: Callable[[Place], Iterator[Row]], place: Place) -> Iterator[Row]:
    """The rows; where the file breaks off, one `bad_file` more."""
    try:
        yield from read(place)
    except _UNREADABLE as error:
        yield ClipError("bad_file", f"{shown(place.url)} breaks off: {reason(error)}.")


def json_rows(place: Place) -> Iterator[Row]:
    """One per line that is not blank: the object, or why there is none."""
    for number, line in enumerate(place.lines(), 1):
        if line.strip():
            yield json_row(line, number)


def json_row(line: bytes, number: int) -> Row:
    """The object of one line; `bad_line` where it holds none."""
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError:
        return ClipError("bad_line", f"Line {number} {_BROKEN_LINE}.")
    except (ValueError, RecursionError) as error:
        return ClipError("bad_line", f"Line {number} is not JSON: {reason(error)}.")
    if not isinstance(value, dict):
        return ClipError("bad_line", f"Line {number} is not a JSON object.")
    return value


def csv_rows(place: Place) -> Iterator[Row]:
    """Rows of comma-separated values under a header, quoted as in RFC 4180."""
    return _delimited(place, csv.reader(_text(place), strict=True))


def tsv_rows(place: Place) -> Iterator[Row]:
    """Rows of tab-separated values under a header; quotes are characters like any other."""
    return _delimited(place, csv.reader(_text(place), delimiter="\t", quoting=csv.QUOTE_NONE))


def _text(place: Place) -> Iterator[str]:
    return (line.decode(errors="surrogateescape") + "\n" for line in place.lines())


def _delimited(place: Place, reader: Iterator[list[str]]) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE_BYTES)
    header: list[str] | None = None
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield ClipError("bad_line", f"Row {number} is not well formed: {reason(error)}.")
            continue
        if not cells:
            continue
        if header is None:
            header = [name.strip() for name in cells]
        else:
            yield _row(header, cells, number)


def _row(header: list[str], cells: list[str], number: int) -> Row:
    if not all(map(_is_utf8, cells)):
        return ClipError("bad_line", f"Row {number} {_BROKEN_LINE}.")
    if len(cells) > len(header):
        return ClipError("bad_line", f"Row {number} has {len(cells)} fields under {len(header)} columns.")
    return dict(zip(header, cells, strict=False))


def _is_utf8(cell: str) -> bool:
    return cell.isascii() or not any("\ud800" <= c <= "\udfff" for c in cell)
