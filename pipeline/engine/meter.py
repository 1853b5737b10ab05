"""Metrics for Prometheus, through Ray's own exporter: each node of a cluster serves those of its processes.

Where Ray was installed without its exporter (`ray[default]` brings it), they are counted and go nowhere. One
count takes 5 microseconds, one batch 12 more: nothing beside a batch of sound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ray.util.metrics import Counter, Gauge, Histogram

from pipeline.annotator import Away
from pipeline.clip import Clip
from pipeline.engine.plan import Plan
from pipeline.engine.watcher import Watcher
from pipeline.engine.work import Guard
from pipeline.engine.worker import Report, Task
from pipeline.job import Job
from pipeline.storage import Store
from pipeline.way import Way

BATCH_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
CODES = 100
"""Different causes that one process tells apart; further ones are `other`."""


def run_name(store: Store) -> str:
    """What the label `run` says: the last part of the run directory."""
    return store.url.rstrip("/").rpartition("/")[2]


class ActorMeter:
    """Counts what one worker process does."""

    def __init__(self, job: Job, store: Store) -> None:
        self._job, self._run = job, run_name(store)
        self._codes: set[str] = set()
        self._clips = Counter("speechcraft_clips_total", "rows written", ("run", "annotator", "status"))
        self._speech = Counter(
            "speechcraft_speech_seconds_total", "sound of the shards annotated", ("run", "annotator")
        )
        self._compute = Counter("speechcraft_compute_seconds_total", "time at work", ("run", "annotator"))
        self._waited = Counter(
            "speechcraft_waited_seconds_total", "for services that did not answer", ("run", "annotator")
        )
        self._errors = Counter(
            "speechcraft_errors_total", "failed rows by their own cause", ("run", "annotator", "code")
        )
        self._batch = Histogram(
            "speechcraft_batch_seconds", "of one batch", list(BATCH_S), ("run", "annotator")
        )
        self._up = Gauge("speechcraft_actors", "1 for each process at work", ("run", "pool"))

    def timed(self, guard: Guard) -> Guard:
        """The guard, with the time of each batch observed."""

        @contextmanager
        def timing(way: Way, clips: Sequence[Clip], seconds: float) -> Iterator[Callable[[], None]]:
            started = time.perf_counter()
            with guard(way, clips, seconds) as alive:
                yield alive
            if clips:
                labels = {"run": self._run, "annotator": f"{way.family}-{way.name}"}
                self._batch.observe(time.perf_counter() - started, labels)

        return timing

    def count(self, report: Report) -> Report:
        """Count a finished task."""
        pool = self._job.pool_of(report.task.keys[0].partition("-")[0]) if report.task.keys else ""
        self._up.set(1, {"run": self._run, "pool": pool})
        for key, found in report.tallies.items():
            labels = {"run": self._run, "annotator": key.partition("@")[0]}
            _add(self._compute, found.compute_s, labels)
            _add(self._waited, found.waited_s, labels)
            _add(self._speech, found.speech_s, labels)
            for status in ("ok", "skipped", "failed"):
                _add(self._clips, getattr(found, status), labels | {"status": status})
        for failure in report.failures:
            name = f"{failure.family}-{failure.way}"
            labels = {"run": self._run, "annotator": name, "code": self._known(failure.code)}
            self._errors.inc(1, labels)
        return report

    def _known(self, code: str) -> str:
        if len(self._codes) < CODES:
            self._codes.add(code)
        return code if code in self._codes else "other"


def _add(counter: Counter, value: float, labels: dict[str, str]) -> None:
    if value:  # Ray counts nothing that is not above zero
        counter.inc(value, labels)


class DriverMeter(Watcher):
    """Tells what the driver knows: how far each pool is, what waits for it, what was lost."""

    def __init__(self, store: Store) -> None:
        self._run = run_name(store)
        self._gauges: _Gauges | None = None
        self._flights: dict[Task, str] = {}
        self._away: set[str] = set()

    def begin(self, title: str, plan: Plan) -> None:
        """Ray is up by now; what is counted before is lost."""
        self._gauges = self._gauges or _Gauges()
        self._plan = plan
        self._flights.clear()
        self._tell(plan)

    def sent(self, plan: Plan, task: Task) -> None:
        """One more in flight."""
        self._flights[task] = next(s.pool for s in plan.stages if any(w.key in task.keys for w in s.ways))
        self._tell(plan)

    def report(self, plan: Plan, report: Report) -> None:
        """One less in flight."""
        self._flights.pop(report.task, None)
        self._tell(plan)

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """One less in flight."""
        self._flights.pop(task, None)
        if self._gauges is not None:
            end = "given up" if given_up else "tried again"
            self._gauges.lost.inc(1, {"run": self._run, "end": end})
            self._tell(self._plan)

    def away(self, services: Sequence[Away]) -> None:
        """So many clips wait for each; none for one that answers again."""
        if self._gauges is None:
            return
        waiting = dict.fromkeys(self._away, 0) | {one.service: one.clips for one in services}
        for service, clips in waiting.items():
            self._gauges.waiting.set(clips, {"run": self._run, "service": service})
        self._away = set(waiting)

    def end(self, plan: Plan) -> None:
        """Nobody waits any more."""
        self.away(())

    def _tell(self, plan: Plan) -> None:
        if self._gauges is None:
            return
        for pool in plan.pools:
            labels = {"run": self._run, "pool": pool}
            ready = sum(len(stage.ready) for stage in plan.stages if stage.pool == pool)
            self._gauges.ready.set(ready, labels)
            self._gauges.in_flight.set(sum(p == pool for p in self._flights.values()), labels)
            self._gauges.done.set(plan.done(pool), labels)
            self._gauges.shards.set(len(plan.shards), labels)


class _Gauges:
    """Those of the driver. They can be made only once Ray is up."""

    def __init__(self) -> None:
        labels = ("run", "pool")
        self.done = Gauge("speechcraft_shards_done", "shards with nothing left to do in the pool", labels)
        self.shards = Gauge("speechcraft_shards", "shards of the phase", labels)
        self.ready = Gauge("speechcraft_tasks_ready", "tasks that wait for a process", labels)
        self.in_flight = Gauge("speechcraft_tasks_in_flight", "tasks given to a process", labels)
        self.waiting = Gauge(
            "speechcraft_clips_waiting", "clips whose service does not answer", ("run", "service")
        )
        self.lost = Counter("speechcraft_tasks_lost_total", "tasks that came to nothing", ("run", "end"))
