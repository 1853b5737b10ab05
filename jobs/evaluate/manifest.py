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

Line = Mapping[str, object]


def read_labels(path: Path) -> dict[str, Line]:
    """The lines of a jsonl, csv, tsv or parquet file by `id`; of several with one id the first counts.

    UsageError where the file cannot be read or a line has no id.
    """
    try:
        lines = list(_lines(path))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UsageError(f"The labels {path} cannot be read: {error}.") from error
    found: dict[str, Line] = {}
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict) or line.get("id") is None:
            raise UsageError(f"Line {number} of the labels {path} has no id.")
        found.setdefault(str(line["id"]), line)
    return found


def _lines(path: Path) -> Iterable[Line]:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return pq.read_table(path).to_pylist()
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(_text_lines(name, file))


def _text_lines(name: str, file: TextIO) -> Iterator[Line]:
    if name.endswith((".csv", ".tsv")):
        yield from csv.DictReader(file, delimiter="\t" if name.endswith(".tsv") else ",")
        return
    for line in file:
        if line.strip():
            yield json.loads(line)
