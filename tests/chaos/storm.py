"""A run during which things die: which, and when, a seed decides; what fired is counted."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.cluster import AT_WORK, Cluster
from tests.chaos.corpus import LATENCY_S
from tests.chaos.ledger import LEDGER, Ledger
from tests.endpoint.fake import Fake
from tests.raylets import ROOT

QUEUED_PER_ACTOR = 2
"""One at work, one on its way."""
MOST_STARTS = 12
"""Of the driver. A run that needs more is not going on."""


@dataclass(frozen=True)
class Forecast:
    """How often each thing happens; one node is lost, and the driver is killed twice, in any case."""

    seed: int
    workers: int
    outages: int = 1
    outage_s: float = 2.0
    pause_s: float = 0.1

    def events(self) -> list[tuple[float, str]]:
        """What happens, each when that share of the captions has been begun."""
        rng = random.Random(self.seed)
        drivers = [rng.uniform(0.2, 0.4), rng.uniform(0.6, 0.8)]
        events = [(at, "driver killed") for at in drivers] + [(rng.uniform(0.1, 0.7), "node lost")]
        events += [(rng.uniform(0.0, 0.9), "worker killed") for _ in range(self.workers)]
        events += [(rng.uniform(0.1, 0.8), "endpoint dead") for _ in range(self.outages)]
        return sorted(events)


@dataclass
class Weather:
    """What happened. `in_flight`: shards that were with those who died, at most."""

    fired: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    turned_away: int = 0
    """Connections that found no endpoint."""
    exits: list[int] = field(default_factory=list)
    """Of drivers, the last among them."""
    tried_again: int = 0
    """Shards of which a driver said so."""
    seconds: float = 0.0


class Storm:
    """One run on a cluster, with an endpoint, into a directory; started again whenever it ends too soon."""

    def __init__(
        self, folder: Path, out: str, cluster: Cluster, endpoint: Fake, forecast: Forecast, clips: int
    ) -> None:
        self._folder, self._out, self._cluster, self._endpoint = folder, out, cluster, endpoint
        self._forecast, self._clips = forecast, clips
        self._rng = random.Random(forecast.seed + 1)
        self._said = folder / "driver.log"
        self._driver: subprocess.Popen[bytes] | None = None
        self._dead_until_s: float | None = None
        self._gone: Gone | None = None
        self.ledger = Ledger(Path(cluster.environment[LEDGER]))
        self.weather = Weather()

    def run(self) -> Weather:
        """Until the run is done and all has happened."""
        started = time.monotonic()
        events = self._forecast.events()
        try:
            while not self._ended():
                begun = self.ledger.look().reached("caption") / self._clips
                self._revive()
                if events and events[0][0] <= begun and self._fire(events[0][1]):
                    events.pop(0)
                time.sleep(0.05)
        finally:
            if self._driver is not None:
                self._driver.kill()
                self._driver.wait()
            if self._gone is not None:
                self._gone.close()
        self.ledger.look()
        self.weather.tried_again = self._said.read_text().count(" tried again: ")
        self.weather.seconds = time.monotonic() - started
        return self.weather

    def _ended(self) -> bool:
        """Whether a driver has come to its end; one that is gone is started again, as a person would."""
        if self._driver is not None:
            code = self._driver.poll()
            if code is None:
                return False
            self.weather.exits.append(code)
            if code == 0:
                return True
        assert len(self.weather.exits) < MOST_STARTS, self._said.read_text()[-4000:]
        command = [
            *(sys.executable, "-m", "jobs.cli", "annotate", str(self._folder / "speech.jsonl")),
            *("--job", str(self._folder / "job.yaml"), "--out", self._out),
            *("--ray-address", self._cluster.address, "--set", f"caption.endpoint={self._endpoint.url}"),
        ]
        with self._said.open("ab") as said:
            self._driver = subprocess.Popen(
                command, cwd=ROOT, env=self._cluster.environment, stdout=said, stderr=said
            )
        return False

    def _fire(self, what: str) -> bool:
        """Let it happen, if there is somebody at work for it to happen to."""
        happens: Mapping[str, Callable[[], bool]] = {
            "driver killed": self._kill_driver,
            "node lost": self._lose_node,
            "worker killed": self._kill_worker,
            "endpoint dead": self._kill_endpoint,
        }
        fired = happens[what]()
        self.weather.fired[what] += fired
        return fired

    def _kill_worker(self) -> bool:
        at_work = self._cluster.actors(AT_WORK)
        if not at_work:
            return False
        with suppress(ProcessLookupError):
            os.kill(self._rng.choice(at_work).pid, signal.SIGKILL)
            self.weather.in_flight += 1
            return True
        return False

    def _kill_driver(self) -> bool:
        if not self._cluster.actors(AT_WORK) or self._driver is None or self._driver.poll() is not None:
            return False
        self.weather.in_flight += QUEUED_PER_ACTOR * len(self._cluster.actors())
        self._driver.kill()
        self._driver.wait()
        return True

    def _lose_node(self) -> bool:
        if not self._cluster.others(AT_WORK):
            return False
        self.weather.in_flight += QUEUED_PER_ACTOR * len(self._cluster.others())
        self._cluster.lose_other()
        return True

    def _kill_endpoint(self) -> bool:
        if self._dead_until_s is not None or not self._cluster.actors(AT_WORK):
            return False
        self._endpoint.kill()
        self._gone = Gone(int(self._endpoint.url.rpartition(":")[2]))
        self._dead_until_s = time.monotonic() + self._forecast.outage_s
        return True

    def _revive(self) -> None:
        """The endpoint is back once its time is over and somebody has missed it."""
        if self._gone is None or self._dead_until_s is None or time.monotonic() < self._dead_until_s:
            return
        if self._gone.turned_away == 0:
            return
        self._gone.close()
        self.weather.turned_away += self._gone.turned_away
        self._gone = self._dead_until_s = None
        self._endpoint.start(latency_s=LATENCY_S)


class Gone:
    """Where an endpoint was: whoever comes is cut off, and counted."""

    def __init__(self, port: int) -> None:
        self.turned_away = 0
        self._socket = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._turn_away, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _turn_away(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.turned_away += 1
            caller.close()
