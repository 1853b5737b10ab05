"""Every pool gets processes at the start, and together they fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.pools import Resources, require_gpus, sizes
from pipeline.errors import RunError
from pipeline.job import Pool
from tests.fakes import job_of

pools_of_cores = st.lists(st.floats(0.25, 4.0), min_size=1, max_size=4).map(
    lambda cpus: [Pool(f"p{i}", cpus=c) for i, c in enumerate(cpus)]
)


@given(pools_of_cores, st.integers(16, 256))
def test_pools_share_the_cores_and_none_waits_for_another(pools: list[Pool], cores: int) -> None:
    counts = sizes(pools, Resources(cores))
    assert all(count >= 1 for count in counts)
    assert sum(p.cpus * n for p, n in zip(pools, counts, strict=True)) <= cores + 1e-6


@pytest.mark.parametrize(
    ("pools", "have", "asked", "counts"),
    [
        ([Pool("cpu")], Resources(8), None, [8]),
        ([Pool("cpu")], Resources(8), 3, [3]),
        ([Pool("cpu", actors=5)], Resources(8), None, [5]),
        ([Pool("a"), Pool("b")], Resources(8), None, [4, 4]),
        ([Pool("a"), Pool("b")], Resources(1), None, [1, 1]),
        ([Pool("a", actors=2), Pool("b")], Resources(8), None, [2, 6]),
        ([Pool("cpu"), Pool("gpu", gpus=1)], Resources(64, 8), None, [56, 8]),
        ([Pool("cpu"), Pool("gpu", gpus=0.1)], Resources(6, 0.3), None, [3, 3]),
        ([Pool("gpu", gpus=1)], Resources(8, 0), None, [1]),
        ([Pool("cpu", memory_gb=4)], Resources(8, 0, 16), None, [4]),
        ([Pool("cpu", cpus=0)], Resources(8), None, [8]),
    ],
)
def test_a_pool_gets_its_part(
    pools: list[Pool], have: Resources, asked: int | None, counts: list[int]
) -> None:
    assert sizes(pools, have, asked) == counts


def test_a_missing_gpu_is_named_with_what_needs_it() -> None:
    gpu = Pool("gpu", gpus=0.5, families=frozenset({"peak"}))
    job = replace(job_of(), pools=(Pool("cpu"), gpu))
    with pytest.raises(RunError, match=r"'gpu' \(peak\) asks for 0.5 GPU .* --cpu"):
        require_gpus(job, 0)
    require_gpus(job, 1)
