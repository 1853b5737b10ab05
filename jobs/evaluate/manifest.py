"""The manifest of human labels: every line by its id."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UsageError
from pipeline.source.base import shown
from pipeline.source.columns import fields_of, identity, path_of
from pipeline.source.manifest import kind_of
from pipeline.source.place import reason

Line = Mapping[str, object]

_NAMES = {"text": "text", "speaker": "speaker", "gender": "gender", "age_years": "age"}
"""Fields of a source, and the columns evaluation reads."""


def read_labels(path: Path) -> dict[str, Line]:
    """The lines of a jsonl, csv, tsv or parquet file by id; of several with one id the first counts.

    Columns that a source knows by several names (`transcript`, `spk_id`, `sex`) are also there under
    the name evaluation reads, and a line without an id has the one a source makes of its sound's path.
    UsageError where the file is none of these or cannot be read, or a line has neither.
    """
    kind = kind_of(path.name)
    try:
        lines = list(_lines(path, kind))
    except (OSError, ValueError, csv.Error, RecursionError, pa.ArrowException) as error:
        raise UsageError(f"The labels {shown(str(path))} cannot be read: {reason(error)}.") from error
    found: dict[str, Line] = {}
    for number, line in enumerate(lines, 1):
        fields = fields_of(line) if isinstance(line, dict) else {}
        _, id = identity(fields, path_of(fields.get("audio")), "")
        if not id:
            raise UsageError(f"Line {number} of the labels {shown(str(path))} has no id.")
        known = {name: fields[field] for field, name in _NAMES.items() if field in fields}
        found.setdefault(id, {**line, **known})
    return found


def _lines(path: Path, kind: str) -> Iterable[Line]:
    if kind == "parquet":
        return pq.read_table(path).to_pylist()
    with (
        gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as f
    ):
        return list(_text_lines(kind, f))


def _text_lines(kind: str, file: TextIO) -> Iterator[Line]:
    if kind != "jsonl":
        csv.field_size_limit(2**30)  # a contour of F0 in a cell is longer than the usual limit
        yield from csv.DictReader(file, restkey="", delimiter="\t" if kind == "tsv" else ",")
        return
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UsageError(
                    f"Line {number} of the labels {shown(str(file.name))} is not JSON: {reason(error)}."
                ) from error
