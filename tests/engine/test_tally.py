"""What a block of code cost is its own: not what others did on the machine meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.engine.tally import measured

WORK_S = 0.4


@pytest.fixture
def crowded() -> Iterator[None]:
    """This process and a busy one share a core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    command = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            yield
            other.kill()
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(),
    reason="the system does not tell what a thread waited for a core",
)
@pytest.mark.usefixtures("crowded")
def test_time_in_which_others_had_the_core_is_told_apart_from_time_at_work() -> None:
    with measured() as cost:
        end = time.thread_time() + WORK_S
        while time.thread_time() < end:
            pass
    assert cost.queued_s > WORK_S / 4
    assert cost.seconds - cost.queued_s == pytest.approx(WORK_S, rel=0.15)
