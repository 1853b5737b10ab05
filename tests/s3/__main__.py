"""An S3 server on loopback that fails as it is told: moto's, behind a door that turns requests away.

`python -m tests.s3` prints its port and serves until its standard input ends. PUT /_faults takes JSON:
`one_in` requests, drawn from a `seed`, end in one of `kinds`; GET /_faults tells what was done so far.

slow      503 SlowDown, before anything is done
broken    500 InternalError, before anything is done
lost      the request is carried out and 503 is answered
reset     the connection is closed without an answer
"""

from __future__ import annotations

import json
import random
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

FAULTS = "/_faults"
Environ = dict[str, Any]
Start = Callable[..., Any]


class Handler(WSGIRequestHandler):
    """A quiet one that keeps connections open, and lets the door see them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Connections wait for no acknowledgement."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def make_environ(self) -> Environ:
        """The connection goes along."""
        return {**super().make_environ(), "tests.connection": self.connection}

    def log(self, *arguments: object) -> None:
        """Nothing."""


class Door:
    """In front of a WSGI application."""

    def __init__(self, app: Callable[[Environ, Start], Iterable[bytes]]) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._done: Counter[str] = Counter()
        self._random = random.Random(0)
        self._one_in, self._kinds = 0, ["slow"]

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer one request, or not."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if environ["PATH_INFO"] == FAULTS:
            return self._told(environ, start, length)
        kind = self._drawn(environ["REQUEST_METHOD"])
        if kind is None:
            return self._app(environ, start)
        if kind == "lost":
            b"".join(self._app(environ, lambda *_: None))
        else:
            environ["wsgi.input"].read(length)
        if kind == "reset":
            environ["tests.connection"].shutdown(socket.SHUT_RDWR)
            return []
        return _error(start, *(("500", "InternalError") if kind == "broken" else ("503", "SlowDown")))

    def _drawn(self, method: str) -> str | None:
        with self._lock:
            self._done["requests"] += 1
            self._done[method] += 1
            if not self._one_in or self._random.randrange(self._one_in):
                return None
            kind = self._random.choice(self._kinds)
            self._done[kind] += 1
            return kind

    def _told(self, environ: Environ, start: Start, length: int) -> Iterable[bytes]:
        with self._lock:
            if environ["REQUEST_METHOD"] == "PUT":
                asked = json.loads(environ["wsgi.input"].read(length))
                self._one_in, self._kinds = int(asked["one_in"]), list(asked["kinds"])
                self._random = random.Random(asked["seed"])
                if not asked.get("keep"):
                    self._done.clear()
            body = json.dumps(self._done).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def _error(start: Start, status: str, code: str) -> Iterable[bytes]:
    body = f"<Error><Code>{code}</Code><Message>Try again.</Message></Error>".encode()
    start(f"{status} {code}", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    app = Door(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    print(server.server_address[1], flush=True)  # noqa: T201
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
