"""Pools share what there is, by what they need and where they may run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.pools import CPU, GPU, MEMORY, Node, claim, fits, least_gpus, require_gpus, room, shares
from pipeline.errors import RunError
from pipeline.pool import Pool
from tests.fakes import job_of

MANY = 10_000
pools_of_cores = st.lists(st.floats(0.25, 4.0), min_size=1, max_size=4).map(
    lambda cpus: [Pool(f"p{i}", cpus=c) for i, c in enumerate(cpus)]
)
clusters = st.lists(st.builds(Node, st.fixed_dictionaries({CPU: st.integers(0, 16)})), min_size=1, max_size=5)


def machine(cpus: float, gpus: float = 0.0, **labels: str) -> Node:
    return Node({CPU: cpus, GPU: gpus, MEMORY: 16 * 2**30}, labels)


@given(pools_of_cores, clusters, st.data())
def test_no_more_is_shared_than_there_is_and_than_is_needed(
    pools: list[Pool], nodes: list[Node], data: st.DataObject
) -> None:
    needs = [data.draw(st.integers(0, 20)) for _ in pools]
    counts = shares(pools, nodes, needs)
    assert all(count <= need for count, need in zip(counts, needs, strict=True))
    total = sum(node.resources[CPU] for node in nodes)
    assert sum(pool.cpus * count for pool, count in zip(pools, counts, strict=True)) <= total + 1e-6


@given(pools_of_cores, st.integers(16, 256))
def test_of_what_is_enough_for_all_every_pool_gets_some(pools: list[Pool], cores: int) -> None:
    assert all(count >= 1 for count in shares(pools, [machine(cores)], [MANY] * len(pools)))


@pytest.mark.parametrize(
    ("pools", "nodes", "needs", "counts"),
    [
        ([Pool("cpu")], [machine(8)], [MANY], [8]),
        ([Pool("cpu")], [machine(8)], [3], [3]),
        ([Pool("a"), Pool("b")], [machine(8)], [MANY, MANY], [4, 4]),
        ([Pool("a"), Pool("b")], [machine(8)], [MANY, 1], [7, 1]),
        ([Pool("a"), Pool("b", cpus=3)], [machine(12)], [MANY, MANY], [6, 2]),
        ([Pool("a"), Pool("b")], [machine(1)], [MANY, MANY], [1, 0]),
        ([Pool("cpu"), Pool("gpu", gpus=1)], [machine(64, 8)], [MANY, MANY], [56, 8]),
        ([Pool("cpu"), Pool("gpu", gpus=0.1)], [machine(6, 0.3)], [MANY, MANY], [3, 3]),
        ([Pool("gpu", gpus=1)], [machine(8)], [MANY], [0]),
        ([Pool("gpu", gpus=0.6)], [machine(8, 1), machine(8, 1)], [MANY], [2]),
        ([Pool("cpu", memory_gb=4)], [machine(8)], [MANY], [4]),
        ([Pool("cpu", cpus=0)], [machine(8)], [MANY], [8]),
        ([Pool("big", cpus=4)], [machine(3), machine(3)], [MANY], [0]),
        ([Pool("spot", labels={"market": "spot"})], [machine(8), machine(4, market="spot")], [MANY], [4]),
        ([Pool("disk", resources={"disk": 0.5})], [Node({CPU: 8, "disk": 1.0})], [MANY], [2]),
        ([Pool("gpu", gpus=1), Pool("cpu")], [machine(2, 2), machine(2)], [2, 2], [2, 2]),
    ],
)
def test_a_pool_gets_its_part(
    pools: list[Pool], nodes: list[Node], needs: list[int], counts: list[int]
) -> None:
    assert shares(pools, nodes, needs) == counts


@pytest.mark.parametrize(
    ("selector", "there"),
    [("spot", True), ("!spot", False), ("on-demand", False), ("in(a, spot)", True), ("!in(a,spot)", False)],
)
def test_labels_are_read_as_ray_reads_them(selector: str, there: bool) -> None:
    pool = Pool(labels={"market": selector})
    assert fits(pool, machine(1, market="spot")) is there
    assert fits(pool, machine(1)) is selector.startswith("!")


def test_what_others_hold_is_no_room() -> None:
    cpu, gpu = Pool("cpu"), Pool("gpu", gpus=0.5)
    assert room(cpu, [machine(8, 1)], [(cpu, 3), (gpu, 2)]) == 3
    assert room(gpu, [machine(8, 1)], [(cpu, 3), (gpu, 2)]) == 0
    assert claim(gpu) == {CPU: 1.0, GPU: 0.5}


@pytest.mark.parametrize(
    ("pools", "least"),
    [
        ([Pool("a", gpus=1, actors=1), Pool("b", gpus=1)], 2.0),
        ([Pool("a", gpus=1), Pool("b", gpus=1, max_actors=4)], 1.0),
        ([Pool("a", gpus=0.5, min_actors=2), Pool("b", gpus=0.25), Pool("c", gpus=0.5)], 1.5),
        ([Pool("a"), Pool("b", actors=3)], 0.0),
    ],
)
def test_every_pool_can_have_one_process_beside_those_that_the_others_keep(
    pools: list[Pool], least: float
) -> None:
    assert least_gpus(pools) == least


def test_a_missing_gpu_is_named_with_what_needs_it() -> None:
    gpu = Pool("gpu", gpus=0.5, families=frozenset({"peak"}))
    job = replace(job_of(), pools=(Pool("cpu"), gpu))
    with pytest.raises(RunError, match=r"'gpu' \(peak\) asks for 0.5 GPU .* --cpu"):
        require_gpus(job, 0)
    require_gpus(job, 1)
