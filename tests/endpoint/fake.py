"""A fake endpoint in a process of its own, as tests and benchmarks handle it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Seen:
    """A chat request it was sent, and the status it gave."""

    clip: str
    body: str
    status: int


class Fake:
    """The endpoint. `url` stays the same when it dies and comes back."""

    def __init__(self, folder: Path, **script: Any) -> None:
        self._log = folder / "requests.log"
        self._log.touch()
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self.start(**script)

    @property
    def url(self) -> str:
        """Its address, as a person would write it."""
        return f"http://127.0.0.1:{self._port}"

    def start(self, **script: Any) -> None:
        """Come up, at the port it had before."""
        command = [sys.executable, "-m", "tests.endpoint", "--log", str(self._log), "--port", str(self._port)]
        self._process = subprocess.Popen(
            [*command, "--script", json.dumps(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def follow(self, **script: Any) -> None:
        """Another script, and forget what was asked so far."""
        request = urllib.request.Request(f"{self.url}/script", json.dumps(script).encode())
        request.add_header("Content-Type", "application/json")
        urllib.request.urlopen(request, timeout=60).close()
        self._log.write_bytes(b"")

    def kill(self) -> None:
        """Be gone at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def wait(self) -> None:
        """Until it is gone by itself."""
        assert self._process is not None
        self._process.wait(60)
        self.kill()

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return None if self._process is None else self._process.pid

    def answered(self) -> int:
        """Chat requests so far."""
        return self._log.read_bytes().count(b"\n")

    @property
    def seen(self) -> list[Seen]:
        """Every chat request, in the order of the answers."""
        lines = (line.split() for line in self._log.read_text().splitlines())
        return [Seen(clip, body, int(status)) for clip, body, status in lines]

    def asked_again(self) -> int:
        """Answers that were paid for before: 200 for a request that had one already."""
        bodies = Counter(seen.body for seen in self.seen if seen.status == 200)
        return sum(bodies.values()) - len(bodies)


@contextmanager
def fake(folder: Path, **script: Any) -> Iterator[Fake]:
    """A fake endpoint for a while."""
    one = Fake(folder, **script)
    try:
        yield one
    finally:
        one.kill()
