"""Same facts, same fingerprint; other facts, another; what has no stable bytes has none."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fingerprint import fingerprint

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
facts = st.dictionaries(
    st.text(), st.recursive(leaves, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=8)
).filter(lambda f: "\\ud" not in ascii(f))


@given(facts)
def test_the_order_of_facts_does_not_matter(found: dict[str, object]) -> None:
    assert fingerprint(found) == fingerprint(dict(reversed(found.items())))


@given(facts, st.text(st.characters(exclude_categories=["Cs"])), st.integers())
def test_one_other_fact_is_another_fingerprint(found: dict[str, object], name: str, other: int) -> None:
    if found.get(name, ...) != other:
        assert fingerprint(found) != fingerprint(found | {name: other})


def test_a_tuple_and_the_list_it_is_read_back_as_are_one() -> None:
    assert fingerprint({"a": (1, 2)}) == fingerprint({"a": [1, 2]})


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint({"a": odd})


@pytest.mark.parametrize("odd", [{1, 2}, len, object(), b"bytes"])
def test_what_has_no_stable_bytes_is_refused(odd: object) -> None:
    with pytest.raises(TypeError):
        fingerprint({"a": odd})


def test_every_process_gives_the_same() -> None:
    code = "from pipeline.fingerprint import fingerprint; print(fingerprint({'b': 1.5, 'a': ['x', None]}))"
    found = {subprocess.check_output([sys.executable, "-c", code], text=True).strip() for _ in range(2)}
    assert found == {fingerprint({"a": ["x", None], "b": 1.5})}
