"""The review page of a run, served by a process of its own on a port that is free."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.command import CLIPS

JUDGE = {"Content-Type": "application/json", "X-Speechcraft-Review": "1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """A server, and how to talk to it past any browser."""

    process: subprocess.Popen[str]
    address: str

    def ask(self, path: str, body: object | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """GET, or POST with a body; redirects are not followed."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, dict(headers or {}))
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as found:
                return Answer(found.status, dict(found.headers), found.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **named: Any) -> None:
        return None


@contextmanager
def served(run: Path, *options: object) -> Iterator[Served]:
    """The server, until the block ends."""
    command = [sys.executable, "-m", "jobs.cli", "review", run, "--port", 0, "--json", *options]
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CLIPS.parents[1],
    )
    try:
        text = ""
        assert process.stdout is not None
        assert process.stderr is not None
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        yield Served(process, json.loads(text)["address"].rstrip("/"))
    finally:
        process.terminate()
        process.communicate(timeout=60)
