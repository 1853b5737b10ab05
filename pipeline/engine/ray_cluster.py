"""The Ray that actors run on: brought up for this run, or joined."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

import ray
import ray.exceptions

from pipeline.engine.pools import GPU, Node
from pipeline.errors import RunError

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""An actor per core and a thread pool per actor would fight for the same cores."""
KNOCK_S = 10.0
PROBE_S = 2.0


class Health(Enum):
    """What can be told of a node."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Machine:
    """A node of the cluster that takes work."""

    id: str
    node: Node
    address: tuple[str, int]


class RayCluster:
    """`address="local"` brings a Ray of our own up on this machine: without it Ray may join one left behind.

    `runtime_env`: what the run brings with it to the nodes of a cluster that is joined.
    """

    def __init__(self, address: str, runtime_env: Mapping[str, Any] | None = None) -> None:
        self.address = address
        self.own = address == "local"
        self._runtime_env = dict(runtime_env or {})
        self._joined = False
        self._addresses: dict[str, tuple[str, int]] = {}

    def connect(self) -> None:
        """Bring Ray up, or join it; nothing where that is done. RunError where it cannot be."""
        if ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        there: dict[str, Any] = {"runtime_env": self._runtime_env} if self._runtime_env else {}
        if self.own:
            there = {"include_dashboard": False, "object_store_memory": 100 * 2**20}
        else:
            _knock(self.address)
        self._joined = True
        with _own_sigterm(), _one_thread() if self.own else nullcontext():
            try:
                ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR, **there)
            except (ConnectionError, ValueError) as error:
                raise RunError(f"There is no Ray cluster at {self.address}.") from error

    def leave(self) -> None:
        """Leave or end the Ray that was joined or brought up."""
        if self._joined:
            ray.shutdown()
        self._joined = False

    def gpus(self) -> float:
        """The GPUs of all nodes."""
        return float(ray.cluster_resources().get(GPU, 0))

    def machines(self) -> list[Machine]:
        """The nodes that are alive and not about to be taken away."""
        draining = self._draining()
        found = []
        for info in ray.nodes():
            if info["Alive"]:
                address = (info["NodeManagerAddress"], info["NodeManagerPort"])
                self._addresses[info["NodeID"]] = address
                if info["NodeID"] not in draining:
                    node = Node(info["Resources"], info.get("Labels") or {})
                    found.append(Machine(info["NodeID"], node, address))
        return found

    def health(self, node: str) -> Health:
        """Whether a node lives. Ray itself may take half a minute to tell that one is gone.

        Where its raylet refuses to talk, it is gone; where nothing comes back at all, nobody knows yet.
        """
        if not any(info["NodeID"] == node and info["Alive"] for info in ray.nodes()):
            return Health.DEAD
        try:
            socket.create_connection(self._addresses[node], timeout=PROBE_S).close()
        except ConnectionRefusedError:
            return Health.DEAD
        except (OSError, KeyError):
            return Health.UNKNOWN
        return Health.ALIVE

    def machine(self) -> Node:
        """All that a Ray of our own has."""
        return Node(ray.cluster_resources())

    def _draining(self) -> Mapping[str, int]:
        """Nodes that will be taken away, with the time in ms; Ray tells them in no public way."""
        with suppress(AttributeError):
            draining: Mapping[str, int] = ray._private.state.state.get_draining_nodes()
            return draining
        return {}


def _knock(address: str) -> None:
    """RunError if nobody answers at `host:port`: Ray itself would try for a quarter of an hour."""
    if address.startswith("ray://"):
        raise RunError(
            f"A run cannot be driven through Ray Client ({address}), it would end with the connection: start "
            "it on a node of the cluster with --ray-address auto, or by Ray Jobs (docs/cluster.md)."
        )
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in address:
        return
    try:
        socket.create_connection((host, int(port)), timeout=KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise RunError(f"There is no Ray cluster at {address}.") from error


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep the caller's answer to SIGTERM: Ray puts its own in place, which ends the process at once."""
    ours = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ours)


@contextmanager
def _one_thread() -> Iterator[None]:
    """What a Ray that is brought up now, and every process of it, finds in its environment.

    Told to each actor instead, it would keep them out of the processes that Ray has ready for them.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ |= ONE_THREAD
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
