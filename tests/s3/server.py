"""A real S3 server on loopback, in a process of its own: `with serving() as s3`, or the fixture `s3`."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec

KEY_ID, SECRET = "AKIAOFTHETESTS", "a/secret+that=no-file-and-no-output-may-hold"
KINDS = ("slow", "broken", "lost", "reset")


@dataclass
class S3:
    """The server. `environment` is what every process that uses it needs."""

    port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def environment(self) -> dict[str, str]:
        """Endpoint and credentials, as botocore reads them."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def bucket(self) -> str:
        """The url of a new, empty bucket."""
        name = f"bucket-{os.getpid()}-{next(self._numbers)}"
        fsspec.filesystem("s3").mkdir(name)
        return f"s3://{name}"

    def fail(self, one_in: int, kinds: Sequence[str] = ("slow",), seed: int = 0) -> None:
        """From now on one in so many requests fails; 0: none. Counts begin anew."""
        self._ask("PUT", json.dumps({"one_in": one_in, "kinds": list(kinds), "seed": seed}))

    def done(self) -> dict[str, int]:
        """Since then: `requests`, those of each method, and the faults of each kind."""
        return {str(k): int(v) for k, v in self._ask("GET").items()}

    @contextmanager
    def failing(self, one_in: int, kinds: Sequence[str] = ("slow",), seed: int = 0) -> Iterator[None]:
        """One in so many requests fails while the block runs."""
        self.fail(one_in, kinds, seed)
        try:
            yield
        finally:
            self._ask("PUT", json.dumps({"one_in": 0, "kinds": [], "seed": 0, "keep": True}))

    def _ask(self, method: str, body: str | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, "/_faults", body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def serving() -> Iterator[S3]:
    """A server while the block runs; this process and its children find it by the environment."""
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.s3"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    before = dict(os.environ)
    try:
        s3 = S3(int(process.stdout.readline()))
        os.environ.update(s3.environment)
        _forget_endpoints()
        yield s3
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget_endpoints()
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()


def _forget_endpoints() -> None:
    """fsspec keeps file systems by their arguments, and these are found by the environment."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()
