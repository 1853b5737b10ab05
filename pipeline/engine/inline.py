"""Everything in the calling process, one shard at a time: for debugging, tests and small jobs.

No deadline and no replacement: what kills a worker here kills the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from pipeline.annotator import Away
from pipeline.engine.base import Backlog, Done, Lost
from pipeline.engine.pools import local_gpus, require_gpus
from pipeline.engine.worker import Task, Worker
from pipeline.errors import LoadError, ShardError, UsageError
from pipeline.job import Job
from pipeline.storage import Store


class InlineEngine:
    """Runs a task when it is waited for."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._queue: deque[Task] = deque()

    def start(self, job: Job, store: Store) -> None:
        """Take the job."""
        require_gpus(job, local_gpus())
        self._worker = Worker(job, store)

    def follow(self, backlogs: Mapping[str, Backlog]) -> None:
        """One process, whatever waits."""

    def room(self, pool: str) -> int:
        """One task at a time."""
        return 1 - len(self._queue)

    def submit(self, pool: str, task: Task) -> None:
        """Queue a task."""
        self._queue.append(task)

    def wait(self) -> Sequence[Done | Lost]:
        """Run the queued task."""
        if self._worker is None or not self._queue:
            return []
        task = self._queue.popleft()
        try:
            return [Done(task, self._worker.run(task))]
        except UsageError:
            raise
        except ShardError as error:
            return [Lost(task, str(error), unloadable=isinstance(error, LoadError))]
        except Exception as error:
            return [Lost(task, f"{type(error).__name__}: {error}")]

    def away(self) -> Sequence[Away]:
        """None is known: while annotators wait nobody else is at work here, and their log says it."""
        return ()

    def stop(self) -> None:
        """Forget what is queued."""
        self._queue.clear()
