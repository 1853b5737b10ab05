"""An actor as the engine sees it: what it was given, and when it last gave a sign of life."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any

import ray

from pipeline.annotator import Away
from pipeline.engine.worker import Task
from pipeline.pool import Pool

SIGN_S = 30.0
"""How often an actor at work is asked for a sign of life."""
GRACE_S = 60.0
"""How much longer than its longest deadline an actor may be silent: what ends it by itself comes first."""

Events = SimpleQueue[tuple["Slot", Any]]
"""What came from actors, and of which call: put there by Ray's own thread, one by one, so that nobody has to
look through all that is in flight."""


@dataclass(eq=False, slots=True)
class Slot:
    """An actor and its tasks, in the order it works in. It takes none before it is `up`."""

    pool: Pool
    actor: Any
    events: Events
    up: bool = False
    leaving: bool = False
    gone: bool = False
    node: str = ""
    tasks: dict[Any, tuple[Task, Future[Any]]] = field(default_factory=dict)
    patience_s: float = 0.0
    away: Sequence[Away] = ()
    """The services it waits for, by its last sign."""
    _since: float = field(default_factory=time.monotonic)
    _asked: float | None = None
    _calls: dict[Any, Future[Any]] = field(default_factory=dict)
    _begins: Future[Any] | None = None

    def begin(self) -> None:
        """Ask where it is: the answer says that it is up."""
        self._call(self.actor.begin.remote())

    def submit(self, task: Task) -> None:
        """Give it a task. One that is idle may have died unseen: it begins after a sign of life."""
        if self.tasks:
            ref = self.actor.run.remote(task)
        else:
            self._since = time.monotonic()
            sign = self._ask()
            self._begins = self._calls[sign]
            ref = self.actor.run.remote(task, sign)
        self.tasks[ref] = (task, self._watched(ref))

    def answer(self, ref: Any) -> Future[Any]:
        """What came of a call that is no task."""
        self._since = time.monotonic()
        self._asked = None
        return self._calls.pop(ref)

    @property
    def open(self) -> bool:
        """Whether it takes tasks."""
        return self.up and not self.leaving

    @property
    def begun(self) -> bool:
        """Whether it lived when it was to begin the first of its tasks."""
        return self._begins is not None and self._begins.done() and self._begins.exception() is None

    def idle_s(self) -> float:
        """How long it has had nothing to do."""
        return 0.0 if self.tasks or not self.up else time.monotonic() - self._since

    def silent(self) -> bool:
        """Whether it has been at work for longer without a sign than it may; asks for one in time."""
        now = time.monotonic()
        if not self.tasks:
            return False
        if self._asked is None:
            if now - self._since > SIGN_S:
                self._ask()
            return False
        return now - self._asked > self.patience_s + GRACE_S

    def forget(self, ref: Any) -> None:
        """A task has ended."""
        self.tasks.pop(ref)
        self.away = ()
        self._since = time.monotonic()
        self._asked = None

    def kill(self) -> None:
        """End it at once."""
        self.gone = True
        ray.kill(self.actor)

    def _ask(self) -> Any:
        """Ask for a sign of life."""
        self._asked = time.monotonic()
        sign = self.actor.sign.remote()
        self._call(sign)
        return sign

    def _call(self, ref: Any) -> None:
        self._calls[ref] = self._watched(ref)

    def _watched(self, ref: Any) -> Future[Any]:
        future: Future[Any] = ref.future()
        future.add_done_callback(lambda _: self.events.put((self, ref)))
        return future


def away(slots: Iterable[Slot]) -> list[Away]:
    """The services that actors wait for, each once, with the clips of all that wait for it."""
    found: dict[str, Away] = {}
    for one in (one for slot in slots for one in slot.away):
        other = found.get(one.service, replace(one, clips=0))
        clips, since = one.clips + other.clips, min(one.since, other.since)
        found[one.service] = replace(one, clips=clips, since=since)
    return [found[service] for service in sorted(found)]
