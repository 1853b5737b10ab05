"""`speechcraft review`."""

from __future__ import annotations

import asyncio
import errno
import getpass
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from jobs.export.dataset import Dataset
from jobs.output import emit, harmless, notice
from jobs.review.apply import pending
from jobs.review.desk import Desk
from jobs.review.gate import Gate, is_loopback, new_token
from jobs.review.sample import sample
from jobs.review.server import ReviewServer
from jobs.review.view import Views
from jobs.runs import Run
from pipeline.counting import counted
from pipeline.errors import OptionError, RunError
from pipeline.storage import Store

MOST_NAME = 100
"""Characters of a reviewer's name."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for."""

    directory: str
    sample: int = 100
    by: str = "random"
    seed: int = 0
    reviewer: str | None = None
    host: str = "127.0.0.1"
    port: int = 8765


def run(request: Request, *, as_json: bool) -> None:
    """Serve the page until Ctrl-C."""
    reviewer = named(request.reviewer)
    dataset = Dataset.open(request.directory)
    clips = sample(dataset, request.sample, request.by, request.seed)
    desk = Desk(dataset.store, reviewer, clips)
    token = None if is_loopback(request.host) else new_token()
    server = ReviewServer(desk, Views(Run.open(request.directory), desk), Gate(request.host, token))

    def tell(port: int) -> None:
        host = f"[{request.host}]" if ":" in request.host else request.host
        address = f"http://{host}:{port}/" + (f"?token={token}" if token else "")
        if as_json:
            emit({"address": address, "clips": len(clips), "reviewer": reviewer})
            return
        notice(
            f"{counted(len(clips), 'clip')} for {harmless(reviewer)}; Ctrl-C ends it, and nothing is lost."
        )
        notice(address)

    asyncio.run(serve(server, request.host, request.port, tell))
    say_goodbye(dataset.store)


def named(name: str | None) -> str:
    """Who reviews: by default the user. OptionError for a name that is none."""
    if name is None:
        with suppress(KeyError, OSError, ImportError):
            name = getpass.getuser()
    name = " ".join(harmless(name or "").split())
    if not name or len(name) > MOST_NAME:
        raise OptionError(f"--reviewer takes a name of at most {MOST_NAME} characters.")
    return name


async def serve(server: ReviewServer, host: str, port: int, tell: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM; `tell` is called with the port once it answers. Port 0 takes any.

    RunError where the address cannot be had.
    """
    runner = web.AppRunner(server.app, access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise RunError(f"Nothing can be served at {host}:{port}: {_reason(error)}.") from error
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        tell(int(runner.addresses[0][1]))
        await ended.wait()
    finally:
        await runner.cleanup()


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; --port 0 takes one that is free"
    return (error.strerror or str(error)).lower()


def say_goodbye(store: Store) -> None:
    """What becomes of what was said."""
    if pending(store):
        notice(f"It is kept in {store.url}; the next export or annotate brings it into the dataset.")
