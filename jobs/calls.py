"""A record of each call that computes: since when and where, how far, at what cost, and how it ended.

`calls/<time>-<id>.json` is written anew every few seconds while the call runs, and when it turns to something
else, by a thread of its own, and once more at its end. So it tells that a driver lives, and what was spent
outlives a kill but for the last seconds. Nothing is decided by it: what is done is what has a sidecar.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

import psutil

from pipeline.annotator import Away
from pipeline.counting import counted
from pipeline.engine.plan import Plan
from pipeline.engine.tally import Tally
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report, Task
from pipeline.rundir import CALLS
from pipeline.storage import Store

log = logging.getLogger(__name__)

BEAT_S = 10.0
STALE_S = 60.0
"""A call that says it runs and has written nothing for so long is thought dead; clocks may differ."""
RUNNING = "running"

Life = Literal["running", "silent", "dead", "ended"]


def new_call_id(now: datetime | None = None) -> str:
    """A name that sorts by time."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4().hex[:6]}"


class CallRecord(Watcher):
    """Writes the record of one call; nothing is written before the first thing it is told.

    By then the run directory is held by this call: one that is refused leaves no record.
    """

    def __init__(self, store: Store, call: str, command: str) -> None:
        self._store, self._path = store, f"{CALLS}/{call}.json"
        self._lock = threading.Lock()
        self._over = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._tallies: dict[str, Tally] = {}
        self._flights: dict[tuple[int, tuple[str, ...]], dict[str, object]] = {}
        self._facts: dict[str, Any] = {
            "call": call,
            "command": command,
            "host": platform.node(),
            "pid": os.getpid(),
            "started": _now(),
            "state": RUNNING,
            "doing": "",
            "shards_lost": 0,
            "pools": {},
            "away": [],
        }

    def doing(self, what: str) -> None:
        """Say it at once."""
        self._turn_to(what, {})

    def begin(self, title: str, plan: Plan) -> None:
        """A phase starts."""
        self._turn_to(title, _counts(plan))

    def sent(self, plan: Plan, task: Task) -> None:
        """A task is in flight."""
        with self._lock:
            self._flights[task.shard.index, task.keys] = {
                "shard": task.shard.index,
                "annotators": [key.partition("@")[0] for key in task.keys],
                "attempt": task.attempt,
                "since": _now(),
            }

    def report(self, plan: Plan, report: Report) -> None:
        """A task has landed, at a cost."""
        with self._lock:
            self._flights.pop((report.task.shard.index, report.task.keys), None)
            for key, found in report.tallies.items():
                self._tallies.setdefault(key, Tally()).add(found)
        self._count(plan)

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """A task has come to nothing."""
        with self._lock:
            self._flights.pop((task.shard.index, task.keys), None)
            self._facts["shards_lost"] += 1

    def away(self, services: Sequence[Away]) -> None:
        """What does not answer."""
        with self._lock:
            self._facts["away"] = [asdict(one) for one in services]

    def end(self, plan: Plan) -> None:
        """Nothing is in flight between phases."""
        with self._lock:
            self._flights.clear()
            self._facts["away"] = []

    def close(self, state: str) -> None:
        """Say how the call ended, if it began."""
        if self._thread is None:
            return
        self._over = True
        self._wake.set()
        self._thread.join()
        with self._lock:
            self._flights.clear()
            self._facts["state"] = state
        self._write()

    def _turn_to(self, what: str, pools: dict[str, list[int]]) -> None:
        with self._lock:
            self._facts["doing"], self._facts["pools"] = what, pools
        if self._thread is None:
            self._write()
            self._thread = threading.Thread(target=self._beat, name="call record", daemon=True)
            self._thread.start()
        else:
            self._wake.set()

    def _count(self, plan: Plan) -> None:
        counts = _counts(plan)
        with self._lock:
            self._facts["pools"] = counts

    def _beat(self) -> None:
        while not self._over:
            self._wake.wait(BEAT_S)
            self._wake.clear()
            if not self._over:
                self._write()

    def _write(self) -> None:
        with self._lock:
            costs = {key: _plain(found) for key, found in self._tallies.items()}
            facts = self._facts | {"at": _now(), "in_flight": list(self._flights.values()), "costs": costs}
        try:
            self._store.write(self._path, json.dumps(facts, ensure_ascii=False, indent=1).encode())
        except Exception as error:  # a record that cannot be written must not end a run that can go on
            log.warning("the record of this call cannot be written: %s", error)


@dataclass(frozen=True, slots=True)
class Call:
    """A call, from its record."""

    facts: Mapping[str, Any]

    @property
    def costs(self) -> dict[str, Tally]:
        """What it spent, by the way's key."""
        known = {f.name for f in fields(Tally)}
        return {
            key: Tally(**{name: value for name, value in cost.items() if name in known})
            for key, cost in self.facts["costs"].items()
        }

    def silent_s(self) -> float:
        """Seconds since it last wrote."""
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(self.facts["at"])).total_seconds())

    def life(self) -> Life:
        """Whether it runs; `dead` is certain, `silent` is likely dead, or cut off."""
        if self.facts["state"] != RUNNING:
            return "ended"
        if self.facts["host"] == platform.node() and not psutil.pid_exists(self.facts["pid"]):
            return "dead"
        return "silent" if self.silent_s() > STALE_S else "running"


def read_calls(store: Store) -> list[Call]:
    """Every call that left a record, in order of time."""
    return [Call(json.loads(store.read(name))) for name in sorted(store.names(CALLS))]


def waiting(away: Mapping[str, Any]) -> str:
    """A sentence on a service that does not answer."""
    since = datetime.fromtimestamp(away["since"], UTC).isoformat(timespec="seconds")
    clips = away["clips"]
    it = "waits and goes on" if clips == 1 else "wait and go on"
    wait = f"{counted(clips, 'clip')} {it} when it is back" if clips else "others are asked"
    return f"{away['service']} does not answer since {since} ({away['reason']}): {wait}."


def costs_of(calls: Iterable[Call]) -> dict[str, Tally]:
    """What all these calls spent, by the way's key."""
    spent: dict[str, Tally] = {}
    for call in calls:
        for key, cost in call.costs.items():
            spent.setdefault(key, Tally()).add(cost)
    return spent


def _counts(plan: Plan) -> dict[str, list[int]]:
    """Shards done and all of them, by pool."""
    return {pool: [plan.done(pool), len(plan.shards)] for pool in plan.pools}


def _plain(found: Tally) -> dict[str, object]:
    return {f.name: getattr(found, f.name) for f in fields(Tally)}


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
