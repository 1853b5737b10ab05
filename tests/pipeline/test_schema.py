"""The schema is the row's declaration, and rows survive the way to Parquet and back."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import rows, sidecar
from pipeline.annotator import Skip
from pipeline.errors import ClipError
from pipeline.rows import Column, Pitch, Row, Speaker, Word, Words
from pipeline.schema import columns_of, fault, from_table

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SHARED = [r for r in vars(rows).values() if isinstance(r, type) and issubclass(r, Row) and r is not Row]


def through_parquet(table: pa.Table) -> pa.Table:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return pq.read_table(io.BytesIO(sink.getvalue()))


@pytest.mark.parametrize("row", SHARED, ids=lambda row: row.__name__)
def test_every_column_says_what_it_means(row: type[Row]) -> None:
    assert columns_of(row)
    for column in columns_of(row):
        assert column.column.doc
        if column.name.rpartition("_")[2] in {"hz", "s", "dbfs", "db", "lufs", "semitones", "years"}:
            assert column.column.unit


def test_a_column_without_a_meaning_is_refused() -> None:
    @dataclass(frozen=True)
    class Mute(Row):
        mute: Annotated[str, Column("")]

    with pytest.raises(TypeError, match="mute says no Column"):
        columns_of(Mute)


def test_no_two_families_share_a_column() -> None:
    names = [c.name for row in SHARED for c in columns_of(row)]
    assert len(names) == len(set(names))


@given(st.lists(st.tuples(st.text(), FINITE, FINITE, st.integers(0, 9)), max_size=5), st.none() | FINITE)
def test_nested_rows_come_back_as_they_were(words: list[tuple[str, float, float, int]], sure: float) -> None:
    row = Words(tuple(Word(w, a, b, n, n, "rules") for w, a, b, n in words), (), "test", sure)
    table = through_parquet(sidecar.to_table(Words, ["a"], [row]))
    assert from_table(Words, table) == [row]


def test_curves_come_back_as_arrays() -> None:
    row = Pitch(100.0, 1.0, 90.0, 110.0, 0.5, 0.01, np.array([0, 100.5, 0], np.float32))
    back = from_table(Pitch, through_parquet(sidecar.to_table(Pitch, ["a"], [row])))[0]
    assert back.f0_hz.dtype == np.float32
    assert back.f0_hz.tolist() == [0.0, 100.5, 0.0]


def test_failures_and_skips_are_rows_with_nulls_and_reasons() -> None:
    table = sidecar.to_table(Speaker, ["a", "b"], [Skip("not today"), ClipError("oom", "too long")])
    assert table.column("status").to_pylist() == ["skipped", "failed"]
    assert table.column("error").to_pylist() == ["not today", "oom: too long"]
    assert table.column("gender").null_count == 2


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Speaker("robot", None, None, None, None, None), "gender is 'robot'"),  # type: ignore[arg-type]
        (Speaker(None, None, float("nan"), None, None, None), "gender_confidence is nan"),
        (Words((), (), None, None), "words_source is null"),  # type: ignore[arg-type]
    ],
)
def test_a_row_that_breaks_its_contract_is_named(row: Row, words: str) -> None:
    assert words in str(fault(row))
