"""What each shard of a run took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.engine.plan import Plan
from pipeline.engine.tally import Tally
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report
from pipeline.job import Job
from pipeline.rundir import Shard


@dataclass(slots=True)
class Spent:
    """What one shard took, in seconds in which neither a service nor a core was waited for: at work, by the
    way's key, and by pool all of its processes' time."""

    compute_s: dict[str, float] = field(default_factory=dict)
    busy_s: dict[str, float] = field(default_factory=dict)

    def beside_s(self, pool: str, keys: Iterable[str]) -> float:
        """Of a pool's time, that in which none of its annotators was at work: reading and writing."""
        return self.busy_s.get(pool, 0.0) - sum(self.compute_s.get(key, 0.0) for key in keys)


def keys_of_pools(job: Job) -> dict[str, list[str]]:
    """The keys of the ways that each pool works on."""
    return {pool.name: [w.key for w in job.ways if job.pool_of(w.family) == pool.name] for pool in job.pools}


class Meter(Watcher):
    """Keeps what every shard took."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.spent: dict[Shard, Spent] = {}
        self.tallies: dict[str, Tally] = {}

    def report(self, plan: Plan, report: Report) -> None:
        """Keep it."""
        self.keep(report)

    def keep(self, report: Report) -> None:
        """What one task took."""
        spent = self.spent.setdefault(report.task.shard, Spent())
        pool = self._job.pool_of(report.task.keys[0].partition("-")[0])
        spent.busy_s[pool] = spent.busy_s.get(pool, 0.0) + report.busy_s - report.queued_s
        for key, found in report.tallies.items():
            spent.compute_s[key] = spent.compute_s.get(key, 0.0) + found.compute_s - found.queued_s
            self.tallies.setdefault(key, Tally()).add(found)
