"""What is planned: everything missing, nothing twice, nothing before what it reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.annotator import Annotator
from pipeline.engine.plan import Plan
from pipeline.job import Job, make_job
from pipeline.pool import Pool
from pipeline.rows import Column, Row, Sound
from pipeline.rundir import Shard
from pipeline.way import WaySpec
from tests.fakes import FakePeak, FakeRank, FakeSound, Peak


@dataclass(frozen=True, slots=True)
class Late(Row):
    """Read on the cpu after the gpu."""

    late: Annotated[str, Column("nothing")]


class FakeLate(Annotator[Late]):
    """Reads what the gpu pool makes."""

    row = Late
    version = 1
    needs = (Sound, Peak)


def three_stage_job() -> Job:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak),
        WaySpec("late", "fake", FakeLate),
        WaySpec("rank", "fake", FakeRank),
    ]
    return make_job(specs, pools=(Pool("cpu"), Pool("gpu", gpus=1, families=frozenset({"peak"}))))


def shards_of(count: int) -> list[Shard]:
    return [Shard(i, f"{i:012x}", 10, 60.0) for i in range(count)]


def plan_of(job: Job, shards: list[Shard], have: Collection[str] = ()) -> Plan:
    return Plan(
        job, job.ways, shards, {w.key: np.array([s.sidecar(w.key) in have for s in shards]) for w in job.ways}
    )


def test_a_pool_has_a_stage_for_every_time_another_pool_must_go_first() -> None:
    plan = plan_of(three_stage_job(), shards_of(1))
    assert [(s.pool, [w.family for w in s.ways]) for s in plan.stages] == [
        ("cpu", ["sound"]),
        ("gpu", ["peak"]),
        ("cpu", ["late", "rank"]),
    ]


def test_a_stage_waits_for_those_it_reads() -> None:
    plan = plan_of(three_stage_job(), shards_of(2))
    assert plan.next("gpu") is None
    first = plan.next("cpu")
    assert first is not None
    plan.finish(first[0], first[1].shard)
    following = plan.next("gpu")
    assert following is not None
    assert following[1].shard == first[1].shard


@given(st.data(), st.integers(1, 12))
def test_every_missing_sidecar_is_computed_once_after_all_it_reads(data: st.DataObject, count: int) -> None:
    job = three_stage_job()
    shards = shards_of(count)
    names = [(way.family, s.sidecar(way.key)) for s in shards for way in job.ways]
    have = {path for _, path in names if data.draw(st.booleans())}
    plan = plan_of(job, shards, have)
    made: set[str] = set()
    while tasks := [t for pool in ("cpu", "gpu") for t in [plan.next(pool)] if t]:
        number, task = data.draw(st.sampled_from(tasks))
        for other in tasks:
            if other != (number, task):
                plan.again(other[0], other[1].shard)
        for way in plan.stages[number].ways:
            path = task.shard.sidecar(way.key)
            reads = [w for w in job.ways if w.family in (*way.needs, *way.wants)]
            assert all(task.shard.sidecar(w.key) in have | made for w in reads)
            if way.key in task.keys:
                assert path not in have | made
                made.add(path)
        plan.finish(number, task.shard)
    assert have | made == {path for _, path in names}


def test_a_shard_given_up_is_not_planned_again() -> None:
    plan = plan_of(three_stage_job(), shards_of(2))
    plan.give_up(plan.shards[0])
    found = plan.next("cpu")
    assert found is not None
    assert found[1].shard.index == 1
    assert plan.done("cpu") == 1


def test_what_a_lost_task_had_written_is_not_planned_again() -> None:
    job = three_stage_job()
    plan = plan_of(job, shards_of(1))
    for pool in ("cpu", "gpu"):
        found = plan.next(pool)
        assert found is not None
        plan.finish(found[0], found[1].shard)
    number, task = plan.next("cpu") or (0, None)
    assert task is not None
    assert len(task.keys) == 2
    plan.again(number, task.shard, task.keys[:1])
    following = plan.next("cpu")
    assert following is not None
    assert following[1].keys == task.keys[1:]
    plan.again(number, task.shard, following[1].keys)
    assert plan.next("cpu") is None
    assert plan.done("cpu") == 1


@given(st.lists(st.sampled_from(["finish", "give up"]), min_size=1, max_size=12))
def test_a_pool_counts_every_shard_once_however_it_ended(endings: list[str]) -> None:
    plan = plan_of(three_stage_job(), shards_of(len(endings)))
    while tasks := [t for pool in plan.pools for t in [plan.next(pool)] if t]:
        for number, task in tasks:
            if endings[task.shard.index] == "give up":
                plan.give_up(task.shard)
                plan.give_up(task.shard)
            else:
                plan.finish(number, task.shard)
    assert {pool: plan.done(pool) for pool in plan.pools} == dict.fromkeys(plan.pools, len(endings))
