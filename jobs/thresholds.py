"""Thresholds that a run froze when it was much smaller: told, since its labels go by them."""

from __future__ import annotations

import json
from collections.abc import Callable

from pipeline.counting import counted
from pipeline.engine.plan import Plan
from pipeline.engine.watcher import Watcher
from pipeline.job import Job
from pipeline.rundir import calibration
from pipeline.storage import Store

ENOUGH = 0.5
"""Of the clips that thresholds would be made from today. A run that grows a little is no news."""


class FrozenWatcher(Watcher):
    """Says, when annotating begins, that the thresholds rest on few of the clips."""

    def __init__(self, job: Job, store: Store, say: Callable[[str], None]) -> None:
        self._job, self._store, self._say = job, store, say
        self._rest_on = resting(job, store)

    def begin(self, title: str, plan: Plan) -> None:
        """Told once."""
        if title == "annotate" and (text := notice(self._rest_on, self._job, self._store, plan.clips)):
            self._say(text)


def resting(job: Job, store: Store) -> dict[str, int]:
    """How many clips the thresholds rest on that are frozen with the run, by family."""
    found: dict[str, int] = {}
    for way in job.uncalibrated():
        path = calibration(way.family)
        if store.exists(path) and (clips := json.loads(store.read(path)).get("clips")):
            found[way.family] = int(clips)
    return found


def notice(rest_on: dict[str, int], job: Job, store: Store, clips: int) -> str | None:
    """What to say of thresholds that rest on so few; nothing where they do not."""
    few = {name: n for name, n in rest_on.items() if n < ENOUGH * min(job.calibrate_clips, clips)}
    if not few:
        return None
    told = " and ".join(f"of {name} rest on {counted(n, 'clip')}" for name, n in few.items())
    return (
        f"The thresholds {told} of an earlier call, and there are {clips:,} now: `speechcraft calibrate "
        f"{store.url}` and then this command again goes by all of them."
    )
