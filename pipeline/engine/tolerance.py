"""How much may fail: a run that fails too much is ended, early where it is hopeless."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from pipeline.counting import counted
from pipeline.engine.earlier import earlier_failures
from pipeline.engine.plan import Plan
from pipeline.engine.tally import Failure
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report, Task
from pipeline.errors import TooManyFailedError
from pipeline.job import Job
from pipeline.limits import allowed
from pipeline.rundir import Shard
from pipeline.storage import Store

MIN_SHARDS = 20
"""Before so many shards are looked at, nothing is said of the rest."""
SIGMAS = 3.0
"""A run is hopeless when its share of failed clips lies above the limit by so many standard errors."""


class Tolerance(Watcher):
    """Counts what fails in a run, and raises TooManyFailedError when it is more than the limits allow.

    A failed clip is one that every way of a family failed on, not all of them optional. Those that failed in
    earlier calls are counted once there is something to do, which `watcher` is told; shards that were given
    up are tried again, and count anew.
    """

    def __init__(self, job: Job, shards: Sequence[Shard], store: Store, watcher: Watcher) -> None:
        self._limits, self._shards = job.limits, len(shards)
        self._job, self._all, self._store, self._watcher = job, shards, store, watcher
        self._looked_back = False
        self._ways = Counter(way.family for way in job.ways)
        self._beside: dict[tuple[int, str, str], dict[str, bool]] = {}  # where another way may fill the row
        self._clips = sum(shard.clips for shard in shards)
        self._max_clips = allowed("max_failed_clips", job.limits.max_failed_clips, self._clips)
        self._max_shards = allowed("max_failed_shards", job.limits.max_failed_shards, self._shards)
        self._failed: dict[int, set[tuple[str, str]]] = {}  # clips and families
        self._seen = _Rate()
        self._tried = _Rate()
        self._strict = min(self._max_clips, self._max_shards) < math.inf
        self._given_up: set[int] = set()
        self._causes: Counter[str] = Counter()

    def planned(self, plan: Plan) -> None:
        """Count what failed in earlier calls: the next report is held against the limits with it."""
        if self._max_clips == math.inf or self._looked_back or not any(s.ready for s in plan.stages):
            return
        self._looked_back = True
        self._watcher.doing("count earlier failures")
        for shard, failures in earlier_failures(self._store, self._job.ways, self._all):
            self._note(shard, failures)

    def begin(self, title: str, plan: Plan) -> None:
        """A new phase tries again what was given up before."""
        self._given_up.clear()

    def report(self, plan: Plan, report: Report) -> None:
        """Count what failed of a shard."""
        if not self._strict:
            return
        self._note(report.task.shard, report.failures)
        self._tried.put(report.task.shard.index, 1, 0)
        self._check()

    def _note(self, shard: Shard, failures: Sequence[Failure]) -> None:
        failed = self._failed.setdefault(shard.index, set())
        for failure in failures:
            if (failure.clip, failure.family) not in failed and self._is_final(shard, failure):
                failed.add((failure.clip, failure.family))
                self._causes[f"{failure.family}: {failure.code}"] += 1
        self._seen.put(shard.index, shard.clips, len({clip for clip, _ in failed}))

    def _is_final(self, shard: Shard, failure: Failure) -> bool:
        """Whether no way of the family is left to fill the row, and the clip is failed by that."""
        if self._ways[failure.family] == 1:
            return not failure.optional
        beside = self._beside.setdefault((shard.index, failure.clip, failure.family), {})
        beside[failure.way] = failure.optional
        return len(beside) == self._ways[failure.family] and not all(beside.values())

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """Count a shard that was given up."""
        if given_up and self._strict:
            self._given_up.add(task.shard.index)
            self._tried.put(task.shard.index, 1, 1)
            self._causes[f"given up: {reason}"] += 1
            self._check()

    def judge(self, failed: int, given_up: int, causes: Counter[str]) -> None:
        """Whether a run that has come to its end kept to the limits, whatever call things failed in."""
        if failed > self._max_clips:
            self._end(f"{failed:,} of {counted(self._clips, 'clip')} failed", "clips", causes)
        if given_up > self._max_shards:
            self._end(f"{given_up:,} of {counted(self._shards, 'shard')} given up", "shards", causes)

    def _check(self) -> None:
        self.judge(self._seen.bad, len(self._given_up), self._causes)
        if self._seen.above(self._max_clips / max(1, self._clips)):
            what = f"{self._seen.bad:,} of the first {self._seen.size:,} clips failed"
            self._end(what, "clips", self._causes)
        if self._tried.above(self._max_shards / max(1, self._shards)):
            what = f"{self._tried.bad:,} of the first {self._tried.size:,} shards given up"
            self._end(what, "shards", self._causes)

    def _end(self, what: str, kind: str, causes: Counter[str]) -> None:
        limit = getattr(self._limits, f"max_failed_{kind}")
        listed = ", ".join(f"{cause} ({count:,})" for cause, count in causes.most_common(5))
        raise TooManyFailedError(f"{what}, more than max_failed_{kind} ({limit}) allows: {listed}.")


class _Rate:
    """The share of failures over clusters of unequal size, as a ratio estimate with its standard error."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[int, int]] = {}
        self.size = self.bad = self._bad2 = self._both = self._size2 = 0

    def put(self, cluster: int, size: int, bad: int) -> None:
        """Say, or say anew, how large a cluster is and how many of it failed."""
        old_size, old_bad = self._of.get(cluster, (0, 0))
        self._of[cluster] = size, bad
        self.size += size - old_size
        self.bad += bad - old_bad
        self._size2 += size**2 - old_size**2
        self._bad2 += bad**2 - old_bad**2
        self._both += size * bad - old_size * old_bad

    def above(self, share: float) -> bool:
        """Whether the true share is above this one, as far as these clusters can tell."""
        n = len(self._of)
        if share >= 1 or n < MIN_SHARDS:
            return False
        rate = self.bad / self.size
        squares = max(0.0, self._bad2 - 2 * rate * self._both + rate**2 * self._size2)
        error = math.sqrt(squares / (n * (n - 1))) / (self.size / n)
        return rate - SIGMAS * error > share
