"""Progress for a person: for each pool how much is done, clips and hours of speech per second, time left."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from jobs.calls import waiting
from jobs.output import shown
from pipeline.annotator import Away
from pipeline.engine.plan import Plan
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report, Task


class RichWatcher(Watcher):
    """Bars on a terminal; one line every ten seconds where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title = ""
        self._bars: Progress | None = None
        self._ids: Mapping[str, TaskID] = {}
        self._started = 0.0
        self._clips: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._said = 0.0
        self._away: set[str] = set()

    def begin(self, title: str, plan: Plan) -> None:
        """Show a bar per pool."""
        self._title = title
        self._started = self._said = time.monotonic()
        self._clips = dict.fromkeys(plan.pools, 0)
        self._seconds = dict.fromkeys(plan.pools, 0.0)
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f} shards"),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            console=self._console,
            refresh_per_second=2,
        )
        self._ids = {
            pool: self._bars.add_task(
                f"{title} · {pool}", total=len(plan.shards), completed=plan.done(pool), speed=""
            )
            for pool in plan.pools
        }
        if self._console.is_terminal:
            self._bars.start()

    def report(self, plan: Plan, report: Report) -> None:
        """Move the bar of the pool the report came from."""
        pool = next(s.pool for s in plan.stages if any(w.key in report.task.keys for w in s.ways))
        self._clips[pool] += report.task.shard.clips
        self._seconds[pool] += report.seconds
        if self._bars is not None:
            self._bars.update(self._ids[pool], completed=plan.done(pool), speed=self._speed(plan, pool))
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > 10:
            self._said = now
            done = f"{plan.done(pool)}/{len(plan.shards)} shards"
            self._console.print(f"{self._title} · {pool}: {done}, {self._speed(plan, pool)}", highlight=False)

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """Say what happened to a shard, in one line."""
        what = "given up" if given_up else "tried again"
        self._console.print(f"shard {task.shard.index} {what}: {shown(reason)}", style="yellow")

    def away(self, services: Sequence[Away]) -> None:
        """Say of each service that does not answer since when, and what waits; and which does again."""
        for one in services:
            self._console.print(shown(waiting(asdict(one))), style="yellow", highlight=False)
        for service in sorted(self._away - {one.service for one in services}):
            self._console.print(f"{shown(service)} answers again.", highlight=False)
        self._away = {one.service for one in services}

    def end(self, plan: Plan) -> None:
        """Take the bars down; they stay as they were."""
        if self._bars is not None and self._console.is_terminal:
            self._bars.stop()

    def _speed(self, plan: Plan, pool: str) -> str:
        elapsed = max(1e-6, time.monotonic() - self._started)
        clips, realtime = self._clips[pool] / elapsed, self._seconds[pool] / elapsed
        speech = f" · {realtime / 3600:.2g} h/s ({realtime:.0f}x)" if realtime else ""
        done = plan.done(pool)
        fresh = max(1, self._clips[pool])
        left = plan.clips * (len(plan.shards) - done) / max(1, len(plan.shards))
        return f"{clips:.1f} clips/s{speech} · {_time(left * elapsed / fresh)} left"


def _time(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{s:02d}" if hours else f"{minutes}:{s:02d}"
