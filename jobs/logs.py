"""Logs for machines: a JSON object a line, with run, shard, clip and attempt. What people see stays."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from pipeline.annotator import Away
from pipeline.engine.plan import Plan
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report, Task
from pipeline.errors import OptionError
from pipeline.way import CUT

log = logging.getLogger(__name__)
log.propagate = False  # what is said here people are told by other means
log.addHandler(logging.NullHandler())

OURS = ("pipeline", "annotators", "prompts", "jobs")
"""The loggers whose every line is kept; of others, warnings and errors."""


@contextmanager
def logging_to(target: str | None, run: str) -> Iterator[None]:
    """Errors to standard error; with a target, a file or `-` for standard output, everything there as JSON.

    OptionError for a file that cannot be written.
    """
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    if target is None:
        yield
        return
    root, stream = logging.getLogger(), _open(target)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(run))
    before = {h: h.level for h in root.handlers}, root.level
    for other in root.handlers:
        other.setLevel(max(other.level, logging.ERROR))
    root.addHandler(handler)
    log.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        log.removeHandler(handler)
        root.setLevel(before[1])
        for other, level in before[0].items():
            other.setLevel(level)
        for name in OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)
        if stream is not sys.stdout:
            stream.close()


def _open(target: str) -> TextIO:
    if target == "-":
        return sys.stdout
    try:
        return Path(target).open("a", encoding="ascii", buffering=1)
    except OSError as error:
        raise OptionError(f"The log {target} cannot be written: {(error.strerror or '').lower()}.") from error


class JsonLines(logging.Formatter):
    """A record as one line of ASCII: text of a corpus can neither end the line nor steer a terminal."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "run": self._run,
            "message": record.getMessage(),
            "logger": record.name,
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return json.dumps(facts, default=str)


def say(level: int, message: str, **facts: object) -> None:
    """One line, with its facts beside the message."""
    log.log(level, message, extra={"facts": facts})


class LogWatcher(Watcher):
    """Logs what a run does: phases, shards, and each clip that failed, wherever it was annotated."""

    def doing(self, what: str) -> None:
        """One line."""
        say(logging.INFO, what)

    def begin(self, title: str, plan: Plan) -> None:
        """One line."""
        left = {pool: len(plan.shards) - plan.done(pool) for pool in plan.pools}
        say(logging.INFO, f"{title} begins", shards=len(plan.shards), clips=plan.clips, shards_left=left)

    def report(self, plan: Plan, report: Report) -> None:
        """A line for the shard and one for each clip that failed."""
        if not log.isEnabledFor(logging.INFO):
            return
        task = report.task
        counts = {
            key.partition("@")[0]: {
                "ok": t.ok,
                "skipped": t.skipped,
                "failed": t.failed,
                "compute_s": round(t.compute_s, 3),
                "waited_s": round(t.waited_s, 3),
            }
            for key, t in report.tallies.items()
        }
        say(
            logging.INFO,
            "shard done",
            shard=task.shard.index,
            attempt=task.attempt,
            speech_s=round(report.seconds, 3),
            annotators=counts,
        )
        for failure in report.failures:
            if failure.family == CUT and not failure.where:
                continue  # it stays whole, and whoever decodes it says why it failed
            say(
                logging.WARNING,
                "clip failed",
                shard=task.shard.index,
                clip=failure.clip,
                annotator=f"{failure.family}-{failure.way}",
                attempt=task.attempt,
                code=failure.code,
                reason=failure.reason,
                optional=failure.optional,
                where=failure.where or None,
            )

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """One line."""
        say(
            logging.WARNING,
            "shard given up" if given_up else "shard lost",
            shard=task.shard.index,
            attempt=task.attempt,
            annotators=[key.partition("@")[0] for key in task.keys],
            reason=reason,
        )

    def away(self, services: Sequence[Away]) -> None:
        """A line for each."""
        for one in services:
            say(logging.WARNING, "service does not answer", **asdict(one))
        if not services:
            say(logging.INFO, "all services answer again")

    def end(self, plan: Plan) -> None:
        """One line."""
        say(logging.INFO, "phase ends")
