"""Holds a server: however its owner ends, the server ends with all its children. Run as a script.

    python -I keeper.py COMMAND...

Standard input is a socket whose other end the owner holds. vLLM's engine is a process of its own that stays,
with its GPU, when the server in front of it is killed (seen with 0.32: still there 10 s later). So the
server gets a process group, and the group is ended when the owner lets go of the socket, when this process
is told to end, or when the server is gone. Ray kills the children of a worker that ends: this process
leaves its parent first, or nobody would be left to end the group.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

GRACE_S = 15.0
LOOK_S = 0.2
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run the command, in the background, until it ends or its owner does; 0."""
    if os.fork():
        return 0
    os.setsid()
    signal.signal(signal.SIGTERM, _leave)
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_parent
    )
    try:
        while server.poll() is None and not _closed():
            pass
    finally:
        _end(server)
    return 0


def _closed() -> bool:
    """Whether the owner has let go, which is looked for during `LOOK_S`."""
    ready, _, _ = select.select([0], [], [], LOOK_S)
    return bool(ready) and not os.read(0, 1)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, then end it."""
    deadline = time.monotonic() + GRACE_S
    if server.poll() is None:
        _tell(server, signal.SIGTERM)
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    _tell(server, signal.SIGKILL)
    server.wait()


def _tell(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(server.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _end_with_parent() -> None:
    """On Linux the server is told to end even when this process is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
