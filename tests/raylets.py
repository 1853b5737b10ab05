"""A Ray cluster of several nodes on this machine: a head, and raylets that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import psutil
import ray
from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[1]
STORE_BYTES = 80 * 2**20


class Raylets:
    """The cluster; `address` is for `--ray-address`.

    All of 127/8 is this machine; to Ray each `ip` is a machine.
    """

    def __init__(self, cpus: int, ip: str | None) -> None:
        head = {"num_cpus": cpus, "include_dashboard": False, **_at(ip)}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._cluster._shutdown_at_exit = False  # signals are the main thread's; nodes end with their head
        self.head: Any = self._cluster.head_node
        self.address = str(self._cluster.address)

    def add(self, cpus: int = 1, ip: str | None = None, **labels: str) -> Any:
        """A node more, alive when this returns."""
        return self._cluster.add_node(num_cpus=cpus, labels=labels, **_at(ip))

    def lose(self, node: Any) -> None:
        """The node is gone from one moment to the next, with all its processes; the cluster is not told."""
        for process in processes(node):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)

    def drain(self, node: Any, seconds: int = 600) -> None:
        """The cluster is told that the node will be taken away, as clouds do; this does not take it away."""
        command = ["drain-node", "--address", self.address, "--node-id", node.node_id]
        reason = ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "spot"]
        left = ["--deadline-remaining-seconds", str(seconds)]
        ray = Path(sys.executable).parent / "ray"
        subprocess.run([str(ray), *command, *reason, *left], check=True, capture_output=True)

    def stop(self) -> None:
        """End every process of it."""
        self._cluster.shutdown()


@contextmanager
def raylets(
    environment: Mapping[str, str] = MappingProxyType({}), *, cpus: int = 0, ip: str | None = None
) -> Iterator[Raylets]:
    """A cluster that is taken down whatever happens; its processes find this tree by themselves.

    `environment`: more that they, and this process meanwhile, have in theirs. `cpus`, `ip`: of the head.
    """
    with patch.dict(os.environ, {**environment, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}):
        cluster = Raylets(cpus, ip)
        try:
            yield cluster
        finally:
            ray.shutdown()
            cluster.stop()


def processes(node: Any, title: str | tuple[str, ...] = "") -> list[psutil.Process]:
    """The raylet of a node and all below it, those whose title begins so; none of one that is gone."""
    with suppress(psutil.NoSuchProcess):
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        return [one for one in (raylet, *raylet.children(recursive=True)) if title_of(one).startswith(title)]
    return []


def workers_of(driver: int) -> list[psutil.Process]:
    """The workers of a Ray that a driver started."""
    below = psutil.Process(driver).children(recursive=True)
    return [one for one in below if title_of(one).startswith("ray::")]


def wait_idle(workers: Sequence[psutil.Process]) -> None:
    """Until none is at work: they outlive their driver by a minute, and by the tasks that they had."""
    idle = 0
    while idle < 3:  # one may lie between two tasks
        idle = 0 if any(".run" in title_of(one) for one in workers) else idle + 1
        time.sleep(0.2)


def title_of(process: psutil.Process) -> str:
    """Its command line, which Ray makes a title; empty where it is gone."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _at(ip: str | None) -> dict[str, Any]:
    return {"object_store_memory": STORE_BYTES} | ({"node_ip_address": ip} if ip else {})
