"""The manifest of human labels: every line by its id."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Labels:
    """Lines by the id of their clip, and why other lines say nothing, by their number."""

    lines: Mapping[str, Line]
    broken: Mapping[int, str]


def read_labels(path: Path) -> Labels:
    """The lines of a jsonl, csv, tsv or parquet file by id; of several with one id the first counts.

    Columns that a source knows by several names (`transcript`, `spk_id`, `sex`) are also there under
    the name evaluation reads, and a line without an id has the one a source makes of its sound's path.
    A line that is no JSON, or has neither, is broken, as it is in a source. UsageError where the file is none
    of these or cannot be read, or no line of it names a clip.
    """
    kind = kind_of(path.name)
    broken: dict[int, str] = {}
    found: dict[str, Line] = {}
    try:
        for number, line in _lines(path, kind):
            if isinstance(line, str):
                broken[number] = line
                continue
            fields = fields_of(line) if isinstance(line, dict) else {}
            _, id = identity(fields, path_of(fields.get("audio")), "")
            if not id:
                broken[number] = "has no id"
                continue
            known = {name: fields[field] for field, name in _NAMES.items() if field in fields}
            found.setdefault(id, {**line, **known})
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        raise UsageError(f"The labels {shown(str(path))} cannot be read: {reason(error)}.") from error
    if broken and not found:
        number, why = next(iter(broken.items()))
        raise UsageError(f"Line {number} of the labels {shown(str(path))} {why}.")
    return Labels(found, broken)


def _lines(path: Path, kind: str) -> Iterator[tuple[int, Line | str]]:
    """The lines by their number, from 1: what each holds, or what is wrong with it."""
    if kind == "parquet":
        yield from enumerate(pq.read_table(path).to_pylist(), 1)
        return
    with (
        gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as f
    ):
        yield from _json_lines(f) if kind == "jsonl" else _table_lines(kind, f)


def _table_lines(kind: str, file: TextIO) -> Iterator[tuple[int, Line | str]]:
    csv.field_size_limit(2**30)  # a contour of F0 in a cell is longer than the usual limit
    yield from enumerate(csv.DictReader(file, restkey="", delimiter="\t" if kind == "tsv" else ","), 1)


def _json_lines(file: TextIO) -> Iterator[tuple[int, Line | str]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"is not JSON: {reason(error)}"
