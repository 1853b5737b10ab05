"""One driver at a time works in a run directory, and two that meet all the same do no harm."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import lease
from pipeline.engine import flow
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import RunError
from pipeline.job import Job
from pipeline.lease import LEASE, LOCK, Holder, Lease, held
from pipeline.storage import Store
from tests.fakes import Silent, items_of, job_of
from tests.s3.server import S3


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("RENEW_S", 0.3), ("STALE_S", 3.0), ("LOOK_S", 0.1), ("SETTLE_S", 0.1)):
        monkeypatch.setattr(lease, name, seconds)


@pytest.fixture
def store(s3: S3) -> Store:
    return Store(f"{s3.bucket()}/run")


def of_another_machine(**facts: object) -> Holder:
    return replace(Holder(), owner="another", host="node-7", process=42, **facts)  # type: ignore[arg-type]


def run(store: Store, engine: InlineEngine | None = None) -> Outcome:
    job = job_of(shard_size=5, rank=False)
    return annotate(items_of(40), job, store, engine or InlineEngine(), Silent())


class Meeting(InlineEngine):
    """Begins when every driver has decided what is to be done."""

    begin = threading.Barrier(2)

    def start(self, job: Job, store: Store) -> None:
        self.begin.wait()
        super().start(job, store)


def test_a_second_driver_is_told_who_is_at_work_and_since_when(store: Store) -> None:
    with held(store), pytest.raises(RunError) as caught, held(Store(store.url)):
        pass
    assert str(caught.value).startswith(f"Another run is at work in {store.url} (process ")
    assert " UTC)" in str(caught.value)
    with held(Store(store.url)):
        assert store.exists(LEASE)
    assert not store.exists(LEASE)


def test_a_local_lock_says_who_holds_it_too(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with held(store), pytest.raises(RunError, match=r"\(process \d+ on .*, since .* UTC\)"), held(store):
        pass


def test_what_cannot_be_taken_over_is_not_offered_to_be(store: Store, tmp_path: Path) -> None:
    """A lock of this machine never; a lease only by those who can be told to."""
    local = Store(str(tmp_path))
    for busy, take_over, offered in ((local, False, False), (store, False, True), (store, None, False)):
        with held(busy), pytest.raises(RunError) as caught, held(Store(busy.url), take_over=take_over):
            pass
        assert ("--take-over" in str(caught.value)) is offered


def test_a_lock_file_that_was_put_away_does_not_lock_those_out_who_come_after(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with held(store):
        store.remove(LOCK)
    with held(store), pytest.raises(RunError, match="Another run is at work"), held(store):
        pass


def test_a_lock_file_that_is_put_away_in_the_moment_it_is_locked_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    flock = fcntl.flock
    gone: list[str] = []

    def late(*arguments: Any) -> None:
        if not gone:
            gone.append(LOCK)
            store.remove(LOCK)
        flock(*arguments)

    monkeypatch.setattr("fcntl.flock", late)
    with held(store):
        assert gone
        assert (tmp_path / LOCK).exists()
        with pytest.raises(RunError, match="Another run is at work"), held(store):
            pass


def test_a_lease_that_nobody_renews_is_nobodys(store: Store) -> None:
    store.write(LEASE, of_another_machine().written())
    assert run(store).joined.ok == 40


def test_the_lease_of_a_process_that_died_on_this_machine_is_free_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "STALE_S", 3600.0)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    store.write(LEASE, replace(Holder(), owner="another", process=ended.pid).written())
    assert run(store).joined.ok == 40


def test_what_is_no_lease_is_nobodys(store: Store) -> None:
    store.write(LEASE, b"{}?")
    with held(store):
        pass


def test_a_lease_can_be_taken_and_who_had_it_ends(store: Store) -> None:
    with held(store) as ours:
        with held(Store(store.url), take_over=True):
            while ours._taken is None:
                threading.Event().wait(0.02)
            with pytest.raises(RunError, match=r"was taken over by process \d+ on "):
                ours.check()
        assert not store.exists(LEASE)
    with held(store):
        pass


def test_a_file_system_without_locks_has_a_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", none)
    store = Store(str(tmp_path))
    with held(store), pytest.raises(RunError, match="Another run is at work"), held(store):
        pass


def test_a_lease_is_renewed_whatever_became_of_a_renewal(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store("memory://renewed")
    write, failing = Store.write, threading.Event()

    def breaks(self: Store, path: str, data: bytes) -> None:
        if not failing.is_set():
            failing.set()
            raise RuntimeError("no event loop")
        write(self, path, data)

    with held(store) as ours:
        monkeypatch.setattr(Store, "write", breaks)
        while (now := lease._read(store)) is None or now.beat < 2:
            threading.Event().wait(0.02)
        ours.check()
    assert "was not renewed" in caplog.text


@pytest.mark.parametrize("kind", ["lost", "slow"])
def test_a_lease_survives_a_server_that_fails(s3: S3, store: Store, kind: str) -> None:
    with s3.failing(2, [kind], seed=3), held(store) as ours:
        ours.check()
    assert not store.exists(LEASE)


def test_two_drivers_at_once_without_a_lease_write_the_dataset_of_one(
    s3: S3, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def nobody(store: Store, *, take_over: bool) -> Iterator[Lease]:
        yield Lease(store.url)

    monkeypatch.setattr(flow, "held", nobody)
    alone = Store(f"{s3.bucket()}/alone")
    wanted = run(alone).joined
    done: list[Outcome] = []

    def drive() -> None:
        done.append(run(Store(store.url), Meeting()))

    drivers = [threading.Thread(target=drive) for _ in range(2)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert [outcome.joined for outcome in done] == [wanted, wanted]
    assert [sum(p.tasks for p in outcome.phases) for outcome in done] == [8, 8]
    assert dataset(store) == dataset(alone)


def dataset(store: Store) -> dict[str, bytes]:
    return {name: store.read(name) for name in store.names("dataset")}
