"""Work in threads whose results are wanted in order, a bounded number of them ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(call: Callable[[T], R], arguments: Iterable[T], ahead: int) -> Iterator[R]:
    """What `call` gives for each argument, in order; up to `ahead` calls run while one result is used.

    Raises what the call raises, where its result would have come.
    """
    coming: deque[Future[R]] = deque()
    with ThreadPoolExecutor(ahead) as threads:
        try:
            for argument in arguments:
                coming.append(threads.submit(call, argument))
                if len(coming) > ahead:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for left in coming:
                left.cancel()
