"""A worker as a Ray actor: it annotates shards one after the other, and says meanwhile that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray

from pipeline.annotator import Away
from pipeline.engine.alone import run_alone
from pipeline.engine.deadline import deadline_guard
from pipeline.engine.meter import ActorMeter
from pipeline.engine.ray_cluster import ONE_THREAD
from pipeline.engine.worker import Report, Task, Worker
from pipeline.errors import ShardError, UsageError
from pipeline.job import Job
from pipeline.pool import Pool
from pipeline.storage import Store


class Actor:
    """A worker in a process of its own."""

    def __init__(self, job: Job, store: Store) -> None:
        self._job = job
        self._store = store
        self._patience_s = job.limits.load_s
        self._meter = ActorMeter(job, store)
        self._worker = Worker(job, store, self._meter.timed(deadline_guard(job.limits, self._expect)))

    def take(self, job: Job) -> None:
        """Work on another job from now on."""
        self._job = job
        self._worker.take(job)

    def begin(self) -> tuple[str, float]:
        """The node it runs on, and how many seconds it may give no sign of life."""
        return str(ray.get_runtime_context().get_node_id()), self._patience_s

    def run(self, task: Task, alive: object = None) -> Report | UsageError | ShardError:
        """Annotate a shard. Errors of ours are returned: those raised, Ray wraps in a class of its own.

        `alive`: a sign that the driver has of this process, without which Ray does not begin.
        """
        try:
            report = run_alone(self._job, self._store, task) if task.alone else self._worker.run(task)
            return self._meter.count(report)
        except (UsageError, ShardError) as error:
            return error

    @ray.method(concurrency_group="signs")  # type: ignore[untyped-decorator]
    def sign(self) -> tuple[float, tuple[Away, ...]]:
        """A sign of life while a shard is annotated: how many seconds it may be silent after it, and the
        services that it waits for.

        A batch may hold Python's lock up to its deadline; of the next one nothing is known but those before.
        """
        return self._patience_s, self._worker.away()

    def _expect(self, limit_s: float) -> None:
        self._patience_s = max(self._patience_s, limit_s)


def options(pool: Pool, *, own: bool) -> Mapping[str, Any]:
    """What an actor of the pool asks of Ray. On our own Ray it holds no cores: they are as many as we say."""
    asked: dict[str, Any] = {
        "num_cpus": 0 if own else pool.cpus,
        "num_gpus": pool.gpus,
        "max_restarts": 0,
        "max_task_retries": 0,
    }
    if not own:
        asked["runtime_env"] = {"env_vars": ONE_THREAD}
        asked["memory"] = int(pool.memory_gb * 2**30) or None
        asked["resources"] = dict(pool.resources) or None
        asked["label_selector"] = dict(pool.labels) or None
    return asked
