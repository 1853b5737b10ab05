"""Whoever watches a run: what shows progress, logs it, counts it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.annotator import Away
from pipeline.engine.plan import Plan
from pipeline.engine.worker import Report, Task


class Watcher:
    """Sees nothing: override what is to be seen. Called from the driver's own thread."""

    def doing(self, what: str) -> None:
        """What the run is at where no phase is: planning, joining."""

    def planned(self, plan: Plan) -> None:
        """What a phase will do is known: maybe nothing, and then it does not start."""

    def begin(self, title: str, plan: Plan) -> None:
        """A phase starts."""

    def sent(self, plan: Plan, task: Task) -> None:
        """A task was given to a pool."""

    def report(self, plan: Plan, report: Report) -> None:
        """A task ended well."""

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """A task came to nothing."""

    def away(self, services: Sequence[Away]) -> None:
        """These services do not answer; those told of before and not now do again."""

    def end(self, plan: Plan) -> None:
        """The phase is over."""


class Watchers(Watcher):
    """Several watchers, told in order."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def doing(self, what: str) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.doing(what)

    def planned(self, plan: Plan) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.planned(plan)

    def begin(self, title: str, plan: Plan) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.begin(title, plan)

    def sent(self, plan: Plan, task: Task) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.sent(plan, task)

    def report(self, plan: Plan, report: Report) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.report(plan, report)

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.lost(task, reason, given_up)

    def away(self, services: Sequence[Away]) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.away(services)

    def end(self, plan: Plan) -> None:
        """Told to all."""
        for watcher in self._watchers:
            watcher.end(plan)
