"""A deadline that ends the process even where Python cannot run: stuck in C with the lock held."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pipeline.clip import Clip
from pipeline.engine.work import Guard
from pipeline.job import Limits
from pipeline.way import Way


def deadline_guard(limits: Limits, tell: Callable[[float], None] = lambda limit_s: None) -> Guard:
    """A guard that kills this process when a batch, or the loading of an annotator, takes too long.

    Where it stood is written to stderr first. Calling what the guard yields starts the time anew; `tell`
    is called with the time there is whenever it starts.

    `faulthandler` watches from a C thread: a thread of Python would wait for the lock it is to break.
    """

    @contextmanager
    def guard(way: Way, clips: Sequence[Clip], seconds: float) -> Iterator[Callable[[], None]]:
        limit_s = limits.batch_s + limits.batch_s_per_s * seconds if clips else limits.load_s

        def start() -> None:
            tell(limit_s)
            faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.__stderr__ or 2)

        start()
        try:
            yield start
        finally:
            faulthandler.cancel_dump_traceback_later()

    return guard
