from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.export.splits import SplitSpec, assign
from pipeline.errors import UsageError

sizes = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(1, 50), min_size=1, max_size=60)
specs = st.sampled_from(["test=0.05", "by=clip,test=0.2,validation=0.1", "by=speaker,dev=0.5,seed=7"])


@given(sizes, specs)
def test_every_group_has_one_split_whatever_the_order(groups: dict[str, int], text: str) -> None:
    spec = SplitSpec.parse(text)
    found = assign(spec, groups)
    assert found == assign(spec, dict(reversed(groups.items())))
    assert found.keys() == groups.keys()
    assert set(found.values()) <= set(spec.names)


@given(sizes, specs)
def test_shares_are_missed_by_less_than_the_largest_group(groups: dict[str, int], text: str) -> None:
    spec = SplitSpec.parse(text)
    found = assign(spec, groups)
    total = sum(groups.values())
    for name, share in spec.shares.items():
        have = sum(n for group, n in groups.items() if found[group] == name)
        assert abs(have - share * total) <= max(groups.values()) * len(spec.names)


@given(st.integers(3, 40), st.integers(0, 5))
def test_every_split_gets_a_group_where_there_are_enough(n: int, seed: int) -> None:
    spec = SplitSpec.parse(f"test=0.01,validation=0.01,seed={seed}")
    found = assign(spec, {f"s{i}": 10 for i in range(n)})
    assert set(found.values()) == {"train", "test", "validation"}


@given(sizes, st.integers(1, 9))
def test_another_seed_is_another_draw_and_the_same_seed_the_same(groups: dict[str, int], seed: int) -> None:
    assert assign(SplitSpec(shares={"test": 0.3}, seed=seed), groups) == assign(
        SplitSpec(shares={"test": 0.3}, seed=seed), groups
    )


@pytest.mark.parametrize(
    "text", ["test", "test=much", "test=0", "test=1", "test=0.6,dev=0.5", "train=0.9", "by=mood", "../x=0.1"]
)
def test_a_split_that_makes_no_sense_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as error:
        SplitSpec.parse(text)
    assert "\n" not in str(error.value)
