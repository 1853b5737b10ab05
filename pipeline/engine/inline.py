"""Everything in the calling process, one shard at a time: for debugging, tests and small jobs.

No deadline and no replacement: what kills a worker here kills the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from pipeline.clip import Clip
from pipeline.engine.base import Backlog, Done, Lost, Tell
from pipeline.engine.pools import local_gpus, require_gpus
from pipeline.engine.worker import Task, Worker
from pipeline.errors import LoadError, ShardError, UsageError
from pipeline.job import Job
from pipeline.storage import Store
from pipeline.way import Way


class InlineEngine:
    """Runs a task when it is waited for."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._queue: deque[Task] = deque()
        self._tell: Tell = lambda services: None

    def start(self, job: Job, store: Store) -> None:
        """Take the job."""
        require_gpus(job, local_gpus())
        self._worker = Worker(job, store, self._looking)

    def follow(self, backlogs: Mapping[str, Backlog]) -> None:
        """One process, whatever waits."""

    def room(self, pool: str) -> int:
        """One task at a time."""
        return 1 - len(self._queue)

    def submit(self, pool: str, task: Task) -> None:
        """Queue a task."""
        self._queue.append(task)

    def wait(self, tell: Tell) -> Sequence[Done | Lost]:
        """Run the queued task."""
        if self._worker is None or not self._queue:
            return []
        task, self._tell = self._queue.popleft(), tell
        ended: Done | Lost
        try:
            ended = Done(task, self._worker.run(task))
        except UsageError:
            raise
        except ShardError as error:
            ended = Lost(task, str(error), unloadable=isinstance(error, LoadError))
        except Exception as error:
            ended = Lost(task, f"{type(error).__name__}: {error}")
        tell(())
        return [ended]

    def stop(self) -> None:
        """Forget what is queued."""
        self._queue.clear()

    @contextmanager
    def _looking(self, way: Way, clips: Sequence[Clip], seconds: float) -> Iterator[Callable[[], None]]:
        """A guard without a deadline. Whoever asks a service calls it again and again: then it is told."""
        yield self._look

    def _look(self) -> None:
        if self._worker is not None:
            self._tell(self._worker.away())
