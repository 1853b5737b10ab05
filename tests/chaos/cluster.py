"""A cluster of two nodes to be joined from outside, one of which can be lost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

from tests.raylets import Raylets, processes, raylets

HEAD, OTHER = "127.0.0.2", "127.0.0.3"
"""Ray would take 127.0.0.1 for the public address."""
CPUS = 2
"""Of each."""
ACTOR = ("ray::_Actor", "ray::Actor")
AT_WORK = tuple(f"{title}.run" for title in ACTOR)


class Cluster:
    """Both nodes; `environment` is what a process needs to join."""

    def __init__(self, nodes: Raylets) -> None:
        self._nodes = nodes
        self.address = nodes.address
        self.environment = dict(os.environ)
        self._other = nodes.add(CPUS, OTHER)

    def actors(self, title: tuple[str, ...] = ACTOR) -> list[psutil.Process]:
        """Those of both nodes."""
        return [*processes(self._nodes.head, title), *self.others(title)]

    def others(self, title: tuple[str, ...] = ACTOR) -> list[psutil.Process]:
        """Those of the node that can be lost."""
        return processes(self._other, title)

    def lose_other(self) -> None:
        """As if the machine were unplugged."""
        self._nodes.lose(self._other)


@contextmanager
def two_nodes(environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A cluster for a while, whose processes have that environment."""
    soon = {"RAY_health_check_period_ms": "1000"}
    with raylets({**environment, **soon}, cpus=CPUS, ip=HEAD) as nodes:
        yield Cluster(nodes)
