"""Wait until a Ray cluster has all its nodes: `python -m jobs.clusters.wait 3 --address 10.0.0.1:6379`.

A run uses nodes that come later too; this is for one that should not begin with fewer.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Sequence

LATE = 2
"""The exit code where the nodes did not come in time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 once the nodes are there; LATE, and a sentence, where they are not within the time given."""
    parser = argparse.ArgumentParser(prog="python -m jobs.clusters.wait", description=__doc__)
    parser.add_argument("nodes", type=int, help="how many, the head counted")
    head = os.environ.get("RAY_ADDRESS", "127.0.0.1:6379")
    parser.add_argument("--address", default=head, type=_address, help="host:port, else RAY_ADDRESS")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds")
    asked = parser.parse_args(arguments)
    until = time.monotonic() + asked.timeout
    address = ":".join(map(str, asked.address))
    if not _answers(asked.address, until):
        print(f"No Ray cluster answered at {address} within {asked.timeout:g} s.", file=sys.stderr)  # noqa: T201
        return LATE
    there = _nodes(address, asked.nodes, until)
    if there < asked.nodes:
        late = f"{there} of {asked.nodes} nodes had joined {address} after {asked.timeout:g} s."
        print(late, file=sys.stderr)  # noqa: T201
        return LATE
    return 0


def _address(text: str) -> tuple[str, int]:
    """Host and port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"an address is host:port, as in 10.0.0.1:6379, not {text!r}")
    return host, int(port)


def _answers(address: tuple[str, int], until: float) -> bool:
    """Whether somebody listens before the time is over; Ray itself would try for 15 minutes."""
    while time.monotonic() < until:
        try:
            socket.create_connection(address, timeout=5.0).close()
        except OSError:
            time.sleep(0.5)
        else:
            return True
    return False


def _nodes(address: str, wanted: int, until: float) -> int:
    """The nodes that are alive: at once where all are, else when the time is over."""
    import ray

    there = 0
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    try:
        while there < wanted and time.monotonic() < until:
            there = sum(bool(node["Alive"]) for node in ray.nodes())
            time.sleep(0.0 if there >= wanted else 0.5)
    finally:
        ray.shutdown()
    return there


if __name__ == "__main__":
    sys.exit(main())
