from __future__ import annotations

import pytest

from pipeline.counting import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 clips"), (1, "1 clip"), (2, "2 clips"), (1234567, "1,234,567 clips")]
)
def test_one_thing_is_one_and_all_other_counts_are_many(count: int, said: str) -> None:
    assert counted(count, "clip") == said


def test_a_plural_that_takes_no_s_is_as_it_is_given() -> None:
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]
