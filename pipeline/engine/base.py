"""What the driver asks of an engine: take tasks while there is room, say what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.annotator import Away
from pipeline.engine.worker import Report, Task
from pipeline.job import Job
from pipeline.storage import Store


@dataclass(frozen=True, slots=True)
class Done:
    """A task whose sidecars are written."""

    task: Task
    report: Report


@dataclass(frozen=True, slots=True)
class Lost:
    """A task that came to nothing. The reason names no host or process: it may end up in the dataset.

    `blameless`: through no fault of its own, as when a node is lost. `unloadable`: an annotator could
    not be loaded.
    """

    task: Task
    reason: str
    blameless: bool = False
    unloadable: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a pool: tasks that could start now, and shards it has still something to do for."""

    ready: int
    left: int


Tell = Callable[[Sequence[Away]], None]
"""Who is told of services that do not answer."""


class Engine(Protocol):
    """Processes that annotate shards."""

    def start(self, job: Job, store: Store) -> None:
        """Bring processes up for the pools of a job; a second start replaces the job."""

    def follow(self, backlogs: Mapping[str, Backlog]) -> None:
        """What waits for each pool: its processes become more or fewer by it."""

    def room(self, pool: str) -> int:
        """How many tasks the pool takes now without queueing more than it should."""

    def submit(self, pool: str, task: Task) -> None:
        """Give the pool a task."""

    def wait(self, tell: Tell) -> Sequence[Done | Lost]:
        """Wait until some task ends, or about a second has passed.

        `tell` is told of the services that annotators wait for: of all each time, and again when there are
        none, maybe from another thread while this one waits.
        """

    def stop(self) -> None:
        """End every process at once; what they had not finished writing never gets its name."""
