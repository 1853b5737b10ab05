"""The servers of a job: in this process, or as Ray actors where the GPUs are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jobs.serving.kept import Kept
from jobs.serving.settings import Serve
from pipeline.errors import RunError, UsageError

log = logging.getLogger(__name__)

LOCAL = "127.0.0.1"
STOP_S = 60.0
LOOK_S = 1.0
PLACE_S = 120.0
"""How long a cluster may take to find room for a server, besides the time the server needs."""


class Fleet(Protocol):
    """Servers that all serve the same."""

    def start(self) -> Sequence[str]:
        """Start them and wait until all are up; their addresses. UsageError if one is not."""

    def look(self) -> None:
        """Replace what is lost; RunError if nothing is left that could be. Called about once a second."""

    def stop(self) -> None:
        """End all, and wait until they are gone."""


class LocalFleet:
    """Servers that are children of this process."""

    def __init__(self, serve: Serve, count: int, *, cpu: bool) -> None:
        self._serve, self._count, self._cpu = serve, count, cpu
        self._kept: list[Kept] = []

    def start(self) -> Sequence[str]:
        """One after the other."""
        for _ in range(self._count):
            self._kept.append(Kept(self._serve, LOCAL, cpu=self._cpu))
            self._kept[-1].start()
        return [kept.address for kept in self._kept]

    def look(self) -> None:
        """Each looks after itself."""
        _require_one([kept.lost for kept in self._kept])

    def stop(self) -> None:
        """End all."""
        for kept in self._kept:
            kept.stop()
        self._kept.clear()


class _Host:
    """A server's actor. It starts its server again by itself; when it dies itself, the server ends."""

    def __init__(self, serve: Serve, host: str | None, port: int | None, cpu: bool) -> None:
        self._serve, self._host, self._port, self._cpu = serve, host, port, cpu
        self._kept: Kept | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def start(self) -> tuple[str, int, str] | UsageError:
        """Address, port and node. Errors of ours are returned: those raised, Ray wraps in its own."""
        import ray

        try:
            with self._lock:
                host = self._host or ray.util.get_node_ip_address()
                self._kept = Kept(self._serve, host, self._port, cpu=self._cpu)
            self._kept.start()
        except UsageError as error:
            return error
        return self._kept.address, self._kept.port, str(ray.get_runtime_context().get_node_id())

    def live(self) -> str:
        """Return when the server is told to end, or why it is lost: until then all is well."""
        while not self._ended.wait(LOOK_S):
            if self._kept is not None and self._kept.lost:
                return self._kept.lost
        return ""

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        with self._lock:
            if self._kept is not None:
                self._kept.stop()
        self._ended.set()


@dataclass(slots=True)
class _Place:
    """Where a server is: its actor, and the answer that comes when the actor ends."""

    actor: Any
    started: Any
    life: Any
    address: str = ""
    port: int | None = None
    node: str = ""
    lost: str = ""


class RayFleet:
    """One actor per server, each with its GPUs. Ray must be up.

    `host=None`: each listens on the address of its node, for a cluster of several.
    """

    def __init__(self, serve: Serve, count: int, *, gpus: float, host: str | None) -> None:
        self._serve, self._count, self._gpus, self._host = serve, count, gpus, host
        self._places: list[_Place] = []

    def start(self) -> Sequence[str]:
        """All at once."""
        self._places = [self._place(None, None) for _ in range(self._count)]
        for place in self._places:
            self._settle(place, self._serve.start_s + PLACE_S)
        return [place.address for place in self._places]

    def look(self) -> None:
        """Replace actors that are dead, where they were and on the same port, if that is still to be had."""
        import ray

        for number, place in enumerate(self._places):
            ended, _ = ray.wait([place.life], timeout=0)
            if ended:
                self._places[number] = self._after(place)
            elif not place.node:
                self._resettle(place)
        _require_one([place.lost for place in self._places])

    def stop(self) -> None:
        """End all."""
        import ray

        stopped = [place.actor.stop.remote() for place in self._places]
        ray.wait(stopped, num_returns=len(stopped), timeout=STOP_S) if stopped else None
        for place in self._places:
            ray.kill(place.actor)
        self._places.clear()

    def _place(self, port: int | None, node: str | None) -> _Place:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        options: dict[str, Any] = {"num_cpus": 0, "num_gpus": self._gpus, "max_concurrency": 4}
        if node:
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=True)
        cpu = self._gpus == 0
        actor = ray.remote(_Host).options(**options).remote(self._serve, self._host, port, cpu)
        return _Place(actor, actor.start.remote(), actor.live.remote(), port=port)

    def _after(self, old: _Place) -> _Place:
        """The place of a server that is lost, or whose actor is dead."""
        import ray

        try:
            old.lost = ray.get(old.life)
        except ray.exceptions.RayError:
            log.warning("the actor of a server is dead and is replaced")
            new = self._place(old.port, old.node)
            new.address = old.address
            return new
        return old

    def _settle(self, place: _Place, within_s: float) -> None:
        """Take in where a server is; UsageError if it is nowhere."""
        import ray

        try:
            found = ray.get(place.started, timeout=within_s)
        except ray.exceptions.GetTimeoutError as error:
            raise RunError(f"A server was not placed and up within {within_s:g} s.") from error
        except ray.exceptions.RayError as error:
            raise RunError("The process of a server died before it was up.") from error
        if isinstance(found, UsageError):
            raise found
        place.address, place.port, place.node = found

    def _resettle(self, place: _Place) -> None:
        """The same of one that replaces another, once it is up."""
        import ray

        before = place.address
        ready, _ = ray.wait([place.started], timeout=0)
        if not ready:
            return
        try:
            self._settle(place, 0)
        except RunError as error:
            log.warning("a server could not be replaced: %s", error)
            place.started = place.actor.start.remote()
        if place.address != before:
            log.warning("a server came up elsewhere, where this run does not look for it")


def _require_one(lost: Sequence[str]) -> None:
    """RunError, saying why, if all are lost: those who ask them would wait for ever."""
    if lost and all(lost):
        raise RunError(lost[0])
