"""A server that is started again, on the same port, when it dies."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from jobs.serving.ports import free_port, require_free
from jobs.serving.server import Server
from jobs.serving.settings import Serve
from jobs.serving.vllm import arguments, environment, find_vllm
from pipeline.errors import RunError

log = logging.getLogger(__name__)

TRIES = 5
"""Starts in a row that may fail before a server that was up is let go."""
LOOK_S = 0.5
BACK_OFF_S = 2.0
FREED_S = 30.0
"""How long a port may take to be given back by a server before."""


class Kept:
    """A server of these settings, from `start` to `stop`."""

    def __init__(self, serve: Serve, host: str, port: int | None = None, *, cpu: bool) -> None:
        self._start_s = serve.start_s
        vllm = find_vllm(serve.interpreter)
        if port is None:
            port = free_port(host)
        else:
            require_free(host, port, FREED_S)
        self.port = port
        self._server = Server(
            arguments(vllm, serve, host, port, cpu=cpu), environment(vllm.python), host, port, log_file(port)
        )
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._keep, daemon=True)
        self.deaths = 0
        self.lost = ""
        """Why it is not started again any more; empty as long as it is."""

    @property
    def address(self) -> str:
        """Where it is reached."""
        return self._server.address

    def start(self) -> None:
        """Start it and wait until it answers; RunError, with the end of its log, if it does not."""
        self._server.start()
        self._server.wait_ready(self._start_s)
        self._watch.start()

    def stop(self) -> None:
        """End it for good, and wait until it is gone."""
        with self._lock:
            self._ending.set()
            self._server.stop()

    def _keep(self) -> None:
        failures = 0
        while failures < TRIES and not self._ending.wait(LOOK_S + BACK_OFF_S * failures):
            if not self._server.alive():
                failures = 0 if self._again() else failures + 1
        if failures == TRIES:
            words = self._server.last_words()
            self.lost = f"A server ended and could not be started again, {TRIES} times. {words}"

    def _again(self) -> bool:
        """Start it once more; whether it came up."""
        with self._lock:
            if self._ending.is_set():
                return True
            self.deaths += 1
            log.warning("a server of language models ended and is started again")
            self._server.start()
        try:
            self._server.wait_ready(self._start_s)
        except RunError as error:
            log.warning("%s", error)
            return False
        return True


def log_file(port: int) -> Path:
    """Where a server of this process writes to."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "speechcraft" / "serve" / f"{port}-{os.getpid()}.log"
