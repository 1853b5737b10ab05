"""A cluster of several raylets: nodes that are lost cost time and nothing else, nodes that join are used."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine import ray_pools
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.ray_engine import RayEngine
from pipeline.job import Job, Limits, make_job
from pipeline.pool import Pool
from pipeline.storage import Store
from pipeline.way import WaySpec
from tests.fakes import FakeGate, FakePeak, FakeSound, Silent, items_of
from tests.raylets import Raylets, raylets

CLIPS = 40


@pytest.fixture(scope="module")
def cluster() -> Iterator[Raylets]:
    with raylets() as cluster:
        yield cluster


@pytest.fixture
def engine(cluster: Raylets) -> Iterator[RayEngine]:
    engine = RayEngine(cluster.address)
    yield engine
    engine.stop()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def gated(folder: Path, *, free: int = 0, **rest: Any) -> Job:
    """Two clips a shard; whoever is blamed for anything gives its shard up."""
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak),
        WaySpec("weight", "gate", FakeGate, {"folder": str(folder), "free": free}),
    ]
    return make_job(specs, shard_size=2, limits=Limits(max_attempts=1, batch_s=600.0), **rest)


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.05)


def used(folder: Path) -> set[str]:
    return {note.stem for note in folder.glob("*.node")}


def run(engine: RayEngine, job: Job, notes: Path, faults: Callable[[], None]) -> tuple[Outcome, Silent]:
    """A run, with what happens to it meanwhile; then the gate is open."""

    def happen() -> None:
        try:
            faults()
        finally:
            (notes / "gate").touch()

    watcher = Silent()
    with ThreadPoolExecutor(1) as thread:
        happening = thread.submit(happen)
        outcome = annotate(items_of(CLIPS), job, Store(str(notes.parent / "run")), engine, watcher)
        happening.result()
    return outcome, watcher


def test_a_lost_node_costs_no_attempt_and_one_that_joins_is_used(
    cluster: Raylets, engine: RayEngine, notes: Path
) -> None:
    first, second = cluster.add(), cluster.add()

    def faults() -> None:
        until(lambda: used(notes) == {first.node_id, second.node_id})
        cluster.lose(first)
        joined = cluster.add()
        until(lambda: joined.node_id in used(notes))

    outcome, watcher = run(engine, gated(notes, free=8), notes, faults)
    assert watcher.lost_tasks, "the node that was lost had work"
    assert not any(given_up for _, _, given_up in watcher.lost_tasks)
    assert outcome.joined.ok == CLIPS
    assert len(used(notes)) == 3


def test_a_pool_that_has_no_node_says_so_waits_and_goes_on_when_one_comes(
    cluster: Raylets, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pools, "SAY_S", 1.0)
    said: list[str] = []
    engine = RayEngine(cluster.address, say=said.append)
    (notes / "gate").touch()
    late = Pool("late", labels={"market": "spot"}, families=frozenset({"weight"}))
    joined: list[Any] = []

    def faults() -> None:
        until(lambda: said)
        joined.append(cluster.add(market="spot"))

    try:
        outcome, watcher = run(engine, gated(notes, pools=(Pool(), late)), notes, faults)
    finally:
        engine.stop()
    assert said[0].endswith("no node has what a process of it takes (1 CPU, market=spot).")
    assert used(notes) == {joined[0].node_id}
    assert (outcome.joined.ok, watcher.lost_tasks) == (CLIPS, [])


def test_a_node_that_will_be_taken_away_ends_what_it_has_and_gets_no_more(
    cluster: Raylets, engine: RayEngine, notes: Path
) -> None:
    leaving = cluster.add()

    def faults() -> None:
        until(lambda: leaving.node_id in used(notes))
        cluster.drain(leaving)
        until(lambda: any(slot.leaving for slot in engine._pools.slots))
        (notes / "gate").touch()
        until(lambda: all(slot.node != leaving.node_id for slot in engine._pools.slots))

    outcome, watcher = run(engine, gated(notes), notes, faults)
    assert (outcome.joined.ok, watcher.lost_tasks) == (CLIPS, [])


BROUGHT = """
from pipeline.annotator import Annotator
from tests.fakes import Peak, Weight


class Brought(Annotator[Weight]):
    row = Weight
    version = 1
    needs = (Peak,)

    def annotate(self, clips):
        return [Weight(2.0) for _ in clips]
"""


def test_a_working_tree_that_is_brought_is_what_runs(
    cluster: Raylets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is sent, it is nowhere else."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "brought.py").write_text(BROUGHT, "utf-8")
    monkeypatch.syspath_prepend(tree)
    ours = importlib.import_module("brought").Brought
    engine = RayEngine(cluster.address, runtime_env={"working_dir": str(tree)})
    cluster.add()
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak),
        WaySpec("weight", "ours", ours),
    ]
    try:
        engine.connect()
        shutil.rmtree(tree)
        store = Store(str(tmp_path / "run"))
        outcome = annotate(items_of(4), make_job(specs, shard_size=2), store, engine, Silent())
    finally:
        engine.stop()
    assert outcome.joined.ok == 4
