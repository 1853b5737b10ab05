"""A Ray cluster of several nodes on this machine: a head without cores, and raylets that come and go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import ray
from ray.cluster_utils import Cluster

STORE_BYTES = 80 * 2**20


class Raylets:
    """The cluster; `address` is for `--ray-address`."""

    def __init__(self) -> None:
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._cluster._shutdown_at_exit = False  # signals are the main thread's; nodes end with their head
        self.address = str(self._cluster.address)

    def add(self, cpus: int = 1, **labels: str) -> Any:
        """A node more, alive when this returns."""
        return self._cluster.add_node(num_cpus=cpus, labels=labels, object_store_memory=STORE_BYTES)

    def lose(self, node: Any) -> None:
        """The node is gone from one moment to the next, with all its processes; the cluster is not told."""
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in (raylet, *raylet.children(recursive=True)):
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
def raylets() -> Iterator[Raylets]:
    """A cluster that is taken down whatever happens; its processes find this tree by themselves."""
    with patch.dict(os.environ, PYTHONPATH=str(Path(__file__).parents[1])):
        cluster = Raylets()
        try:
            yield cluster
        finally:
            ray.shutdown()
            cluster.stop()
