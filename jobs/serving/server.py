"""One server: started, waited for, watched, ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from jobs.serving import keeper
from pipeline.errors import RunError

HEALTH_S = 5.0
LOOK_S = 0.25
LAST_LINES = 15
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class Server:
    """A process that serves on a port, and writes to a log."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], host: str, port: int, log: Path
    ) -> None:
        self._command, self._environment = list(command), dict(environment)
        self.address = address(host, port)
        self.log = log
        self._line: socket.socket | None = None

    def start(self) -> None:
        """Start it, appending to the log; it is not up yet. One that was there is ended before."""
        self.stop()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._line, theirs = socket.socketpair()
        with self.log.open("ab") as log, theirs:
            subprocess.run(
                [sys.executable, "-I", keeper.__file__, *self._command],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                check=True,
            )

    def wait_ready(self, within_s: float) -> None:
        """Return when it answers; RunError, with the end of its log, if it ends first or takes too long."""
        deadline = time.monotonic() + within_s
        while not healthy(self.address):
            if not self.alive():
                self.stop()
                raise RunError(f"The server ended before it was up. {self.last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise RunError(f"The server was not up after {within_s:g} s. {self.last_words()}")
            time.sleep(LOOK_S)

    def alive(self) -> bool:
        """Whether its process runs: the keeper holds the other end of the line as long as it does."""
        line = self._line
        try:
            return line is not None and line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def last_words(self) -> str:
        """The last lines of the log, and where the rest is."""
        lines = [line for line in tail(self.log) if line.strip()][-LAST_LINES:]
        return f"The end of its log, {self.log}:\n" + "\n".join(lines)

    def stop(self) -> None:
        """End it with all its children, and wait until they are gone."""
        line, self._line = self._line, None
        if line is not None:
            with line, suppress(OSError):
                line.shutdown(socket.SHUT_WR)
                line.recv(1)


def address(host: str, port: int) -> str:
    """Where a server that listens on that host and port is reached, without the path."""
    there = _ANYWHERE.get(host, host)
    return f"http://[{there}]:{port}" if ":" in there else f"http://{there}:{port}"


def healthy(address: str) -> bool:
    """Whether somebody there says to be well."""
    try:
        with build_opener(ProxyHandler({})).open(f"{address}/health", timeout=HEALTH_S) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException, ValueError):  # HTTPException: it died in the middle of its answer
        return False


def tail(file: Path, size: int = 16384) -> list[str]:
    """The last lines of a file; none where it cannot be read."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - size))
            return opened.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
