"""A Ray cluster of two nodes on this machine: two raylets with workers of their own, and one can be lost."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
HEAD, OTHER = "127.0.0.2", "127.0.0.3"
"""All of 127/8 is this machine; to Ray they are two. It would take 127.0.0.1 for the public address."""
ACTOR = ("ray::_Actor", "ray::Actor")
AT_WORK = tuple(f"{title}.run" for title in ACTOR)
COMMON = ("--object-store-memory=100000000", "--disable-usage-stats")


class Node:
    """One `ray start` and all that is below it."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ray.scripts.scripts",
                "start",
                "--block",
                "--num-cpus=2",
                *COMMON,
                *arguments,
            ],
            env=dict(environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.lost = False

    def is_up(self) -> bool:
        """Whether it still stands."""
        return self._process.poll() is None

    def processes(self, title: str | tuple[str, ...] = "") -> list[psutil.Process]:
        """Its processes whose title begins so."""
        with suppress(psutil.Error):
            below = psutil.Process(self._process.pid).children(recursive=True)
            return [process for process in below if _title(process).startswith(title)]
        return []

    def lose(self) -> None:
        """As if the machine were unplugged."""
        self.lost = True
        for process in [psutil.Process(self._process.pid), *self.processes()]:
            with suppress(psutil.Error):
                process.kill()
        self._process.wait()


class Cluster:
    """Both nodes; `environment` is what a process needs to join."""

    def __init__(self, environment: Mapping[str, str], folder: str) -> None:
        port = _free_port()
        self.address = f"{HEAD}:{port}"
        self.environment = {
            **environment,
            "PYTHONPATH": str(ROOT),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_health_check_period_ms": "1000",
        }
        head = ["--head", f"--node-ip-address={HEAD}", f"--port={port}", f"--temp-dir={folder}"]
        self.head = Node([*head, "--include-dashboard=false"], self.environment)
        try:
            self._until_heard(port)
            self.other = Node([f"--address={self.address}", f"--node-ip-address={OTHER}"], self.environment)
            self._until_whole()
        except BaseException:
            self.close()
            raise

    def actors(self, title: tuple[str, ...] = ACTOR) -> list[psutil.Process]:
        """Those of both nodes."""
        return [process for node in self._nodes() for process in node.processes(title)]

    def close(self) -> None:
        """End all of it."""
        for node in self._nodes():
            node.lose()

    def _nodes(self) -> list[Node]:
        nodes = (getattr(self, name, None) for name in ("other", "head"))
        return [node for node in nodes if node is not None and not node.lost]

    def _until_heard(self, port: int) -> None:
        """Until the head listens, or is gone."""
        while self.head.is_up():
            with suppress(OSError):
                socket.create_connection((HEAD, port), timeout=5.0).close()
                return
            time.sleep(0.1)
        raise AssertionError("the head of the cluster did not come up")

    def _until_whole(self) -> None:
        command = [sys.executable, "-m", "jobs.clusters.wait", "2", "--address", self.address]
        subprocess.run([*command, "--timeout", "100"], env=self.environment, check=True)


@contextmanager
def two_nodes(environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A cluster for a while, whose processes have that environment."""
    folder = tempfile.mkdtemp(prefix="chaos-", dir="/tmp")  # Ray's sockets need a short path
    try:
        cluster = Cluster(environment, folder)
        try:
            yield cluster
        finally:
            cluster.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HEAD, 0))
        port: int = free.getsockname()[1]
    return port


def _title(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
