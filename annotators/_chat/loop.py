"""An event loop in a thread of its own: connections outlive a shard, and Ctrl-C is heard while it waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
S = TypeVar("S")

BEAT_S = 5.0
"""How often a loop that is at work says so; the shortest sensible deadline of a batch is ten times that."""
FAREWELL_S = 5.0


class Loop:
    """Runs coroutines from threads that have no loop, or another."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_turn, args=(self._loop,), name="chat", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], alive: Callable[[], None] = lambda: None) -> T:
        """What the coroutine returns or raises; `alive` is called as long as the loop turns.

        If this thread is interrupted the coroutine is cancelled, and has ended when this raises.
        """
        ended = threading.Event()
        promise = asyncio.run_coroutine_threadsafe(_beating(work, alive, ended), self._loop)
        try:
            return promise.result()
        except BaseException:
            promise.cancel()
            ended.wait(FAREWELL_S)
            raise

    def close(self, last: Callable[[], Awaitable[None]] | None = None) -> None:
        """End the loop after that has run. Waits, unless it is the loop itself that calls."""
        if self._loop.is_closed():
            return

        async def end() -> None:
            try:
                if last is not None:
                    await last()
            finally:
                asyncio.get_running_loop().stop()

        asyncio.run_coroutine_threadsafe(end(), self._loop)
        if threading.current_thread() is not self._thread:
            self._thread.join(FAREWELL_S)


async def each(items: Sequence[S], work: Callable[[S], Awaitable[T]], at_once: int) -> list[T]:
    """What `work` gives for every item, in order, with so many at work at once.

    As many tasks as there may be at work, not one an item. The first that raises ends all.
    """
    found: dict[int, T] = {}
    waiting = iter(range(len(items)))

    async def drain() -> None:
        for i in waiting:
            found[i] = await work(items[i])

    tasks = [asyncio.create_task(drain()) for _ in range(min(at_once, len(items)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [found[i] for i in range(len(items))]


async def _beating(work: Coroutine[Any, Any, T], alive: Callable[[], None], ended: threading.Event) -> T:
    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            alive()

    heart = asyncio.create_task(beat())
    try:
        return await work
    finally:
        heart.cancel()
        ended.set()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
