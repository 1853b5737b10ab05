"""Ports to listen on."""

from __future__ import annotations

import errno
import random
import socket
import time

from pipeline.errors import RunError

PORTS = range(20000, 30000)
"""Below those that Linux gives to outgoing connections: one given away while a server loads would be lost."""
_TRIES = 100
_LOOK_S = 0.5


def free_port(host: str) -> int:
    """A port nobody listens on; RunError if the host is not this machine."""
    for port in random.sample(PORTS, _TRIES):
        error = _bind(host, port)
        if error is None:
            return port
        if not _taken(error):
            raise _useless(host, port, error)
    raise RunError(f"{_TRIES} ports of {host} are all taken.")


def require_free(host: str, port: int, within_s: float = 0.0) -> None:
    """RunError if the port is taken and stays so, or the host is not this machine."""
    deadline = time.monotonic() + within_s
    while (error := _bind(host, port)) is not None:
        if not _taken(error):
            raise _useless(host, port, error)
        if time.monotonic() >= deadline:
            raise RunError(f"Port {port} of {host} is taken; choose another.")
        time.sleep(_LOOK_S)


def _bind(host: str, port: int) -> Exception | None:
    """What comes of listening there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, port))
        except (OSError, OverflowError) as error:
            return error
    return None


def _taken(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def _useless(host: str, port: int, error: Exception) -> RunError:
    reason = str(getattr(error, "strerror", None) or error)
    return RunError(f"Nothing can listen on port {port} of {host}: {reason.lower()}.")
