"""The driver: gives tasks out, takes reports in, tries again what was lost, gives up what must be.

It holds a bit per annotator and shard and the tasks in flight, nothing else of the corpus.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline import again
from pipeline.annotator import Away
from pipeline.engine.base import Done, Engine, Lost
from pipeline.engine.plan import Plan
from pipeline.engine.tally import Tally
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Task
from pipeline.errors import RunError
from pipeline.job import Job
from pipeline.presence import present
from pipeline.rundir import Shard
from pipeline.storage import Store
from pipeline.way import Way

SAY_S = 60.0
"""How often it is told that a service still does not answer."""


@dataclass(slots=True)
class Phase:
    """What a phase did: tallies by way, and the shards given up."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    given_up: list[Shard] = field(default_factory=list)
    seconds: float = 0.0
    tasks: int = 0


def run_phase(
    job: Job,
    store: Store,
    engine: Engine,
    shards: Sequence[Shard],
    ways: Sequence[Way],
    watcher: Watcher,
    title: str,
) -> Phase:
    """Compute every missing sidecar of these ways over these shards.

    Raises what an engine raises, and RunError if an annotator cannot be loaded before anything was
    annotated; what is written stays, and the next call goes on from there.
    """
    plan = Plan(job, ways, shards, present(store, shards, [w.key for w in ways]))
    phase = Phase()
    driver = _Driver(job, store, engine, plan, watcher, phase)
    watcher.planned(plan)
    if driver.idle():
        return phase
    engine.start(job, store)
    watcher.begin(title, plan)
    try:
        while not driver.idle():
            driver.fill()
            for ended in engine.wait(driver.tell):
                driver.take(ended)
    finally:
        watcher.end(plan)
    return phase


class _Driver:
    """The bookkeeping of one phase."""

    def __init__(
        self, job: Job, store: Store, engine: Engine, plan: Plan, watcher: Watcher, phase: Phase
    ) -> None:
        self._job, self._store, self._engine = job, store, engine
        self._plan, self._watcher, self._phase = plan, watcher, phase
        self._stage_of: dict[Task, int] = {}
        self._attempts: dict[tuple[int, Shard], int] = {}
        self._marked = again.marked(store)
        self._away: Sequence[Away] = ()
        self._told_at = 0.0

    def idle(self) -> bool:
        """Nothing queued, nothing in flight."""
        return not self._stage_of and not any(stage.ready for stage in self._plan.stages)

    def fill(self) -> None:
        """Give every pool as much as it takes."""
        self._engine.follow({pool: self._plan.backlog(pool) for pool in self._plan.pools})
        for pool in self._plan.pools:
            for _ in range(self._engine.room(pool)):
                found = self._plan.next(pool)
                if found is None:
                    break
                number, task = found
                task = self._tried(number, task)
                self._stage_of[task] = number
                self._engine.submit(pool, task)
                self._watcher.sent(self._plan, task)

    def _tried(self, number: int, task: Task) -> Task:
        """The task with the number of its attempt; the last is clip by clip."""
        attempt = self._attempts.get((number, task.shard), 0) + 1
        marked = tuple(key for key in task.keys if task.shard.again(key) in self._marked)
        alone = attempt >= self._job.limits.max_attempts > 1
        return replace(task, alone=alone, attempt=attempt, again=marked)

    def take(self, ended: Done | Lost) -> None:
        """Book what became of a task."""
        number = self._stage_of.pop(ended.task)
        if isinstance(ended, Done):
            self._finish(number, ended)
        else:
            self._lose(number, ended)

    def tell(self, away: Sequence[Away]) -> None:
        """Of services that do not answer: at once where there are others, else once a minute."""
        now = time.monotonic()
        if [one.service for one in away] == [one.service for one in self._away] and (
            not away or now - self._told_at < SAY_S
        ):
            return
        self._away, self._told_at = away, now
        self._watcher.away(away)

    def _finish(self, number: int, done: Done) -> None:
        self._attempts.pop((number, done.task.shard), None)
        self._phase.tasks += 1
        self._phase.seconds += done.report.seconds
        for key, tally in done.report.tallies.items():
            self._phase.tallies.setdefault(key, Tally()).add(tally)
        self._plan.finish(number, done.task.shard)
        self._watcher.report(self._plan, done.report)

    def _lose(self, number: int, lost: Lost) -> None:
        task = lost.task
        if lost.unloadable and not self._phase.tasks:
            raise RunError(lost.reason)
        attempts = self._attempts.get((number, task.shard), 0) + (not lost.blameless)
        self._attempts[number, task.shard] = attempts
        given_up = attempts >= self._job.limits.max_attempts
        if given_up:
            self._give_up(task, attempts, lost.reason)
        else:
            written = [key for key in task.keys if self._store.exists(task.shard.sidecar(key))]
            self._plan.again(number, task.shard, written)
        self._watcher.lost(task, lost.reason, given_up)

    def _give_up(self, task: Task, attempts: int, reason: str) -> None:
        self._plan.give_up(task.shard)
        self._phase.given_up.append(task.shard)
        failure = {
            "shard": task.shard.index,
            "annotators": list(task.keys),
            "attempts": attempts,
            "reason": reason,
        }
        text = json.dumps(failure, ensure_ascii=False, indent=1)
        self._store.write(task.shard.failure, text.encode())
