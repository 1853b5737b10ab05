"""The last attempt at a shard whose workers died: clip by clip, in a child process that may die too.

The child says which annotator it is about to run; when it dies, that annotator's row of that clip is
failed (`worker_died`, `hung`) and a new child goes on behind it. So a poisonous clip costs one row.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Set
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import IO, Any

from pipeline.engine.deadline import deadline_guard
from pipeline.engine.tally import Cost, Failure, Tally, failures_of
from pipeline.engine.work import Clips, Result, run_way, settled
from pipeline.engine.worker import Report, Task, Worker
from pipeline.errors import ClipError, ShardError, SpeechcraftError, UsageError
from pipeline.job import Job
from pipeline.journal import Journal
from pipeline.sidecar import Outcome
from pipeline.sounds import Pcm
from pipeline.storage import Store
from pipeline.way import Way

MAX_DEATHS = 5
"""So many in a row, without a clip between that went well, give up the shard. Each costs a new process."""
LAST_WORDS_BYTES = 65_536
"""Of what a child wrote to stderr; the traceback of a deadline is at its end."""
GOODBYE_S = 10.0
"""How long a child that closed its pipe may take to end by itself."""

Found = dict[str, tuple[Outcome, Pcm | None]]
"""What every way found of one clip, by the way's key."""


def run_alone(job: Job, store: Store, task: Task) -> Report:
    """Annotate a shard clip by clip and write its sidecars.

    Raises ShardError if the child dies `MAX_DEATHS` times in a row, or before it has loaded what it
    needs: then it is not the clips. Of an optional way that it dies of, the other clips' rows are failed, and
    all are of one that it dies of as it loads it.
    """
    worker = Worker(job, store)
    ways = worker.ways(task)
    clips = worker.load(task.shard, [])
    started = time.perf_counter()
    optional = {way.key for way in ways if way.optional}
    found = _clip_by_clip(job, store, task, len(clips.items), optional)
    cost = Cost((time.perf_counter() - started) / max(1, len(ways)))
    tallies: dict[str, Tally] = {}
    failures: list[Failure] = []
    stood: dict[str, Collection[int]] = {}
    for way in ways:
        pairs = [f[way.key] for f in found]
        made = [sound for _, sound in pairs] if way.makes_sound else None
        result = Result([outcome for outcome, _ in pairs], made)
        stood[way.key] = worker.kept(task, way, clips)
        tallies[way.key] = worker.keep(task.shard, way, clips, result, cost, stands=stood[way.key])
        failures += failures_of(way, [item.id for item in clips.items], result.outcomes)
        worker.forget_mark(task, way)
    return worker.report(task, clips, tallies, failures, stood)


def _clip_by_clip(job: Job, store: Store, task: Task, n: int, optional: Set[str]) -> list[Found]:
    found: list[Found] = []
    dead: dict[str, ClipError] = {}
    gone: dict[str, ClipError] = {}
    deaths = 0
    child = _Child(job, store, task, gone)
    try:
        while len(found) < n:
            answer = child.annotate(len(found), dead | gone)
            if isinstance(answer, dict):
                found.append(answer)
                deaths, dead = (deaths if dead else 0), {}
                continue
            key, error = answer.key, answer.error
            if answer.loading and key in optional:
                gone[key] = ClipError("unloadable", f"{key.partition('@')[0]} cannot be loaded: {error}")
            elif not key or answer.loading:
                raise ShardError(f"The shard's own process died: {error}.")
            else:
                deaths += 1
                if deaths == MAX_DEATHS and key in optional:
                    gone[key], deaths = error, 0
                elif deaths == MAX_DEATHS:
                    raise ShardError(f"The worker died {deaths} times in a row, last: {error}.")
                dead[key] = error
            child.close()
            child = _Child(job, store, task, gone)
    finally:
        child.close()
    return found


@dataclass(frozen=True, slots=True)
class _Death:
    """Of a child: in which way, while it loaded that or annotated a clip by it, and of what."""

    key: str
    loading: bool
    error: ClipError


class _Child:
    """A process that annotates the clips of one shard when asked, without the ways that are `gone`."""

    def __init__(self, job: Job, store: Store, task: Task, gone: Mapping[str, ClipError]) -> None:
        self._start_s = job.limits.load_s
        self._pipe, theirs = Pipe()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        theirs.close()
        with suppress(ConnectionError):  # it died at once: the first question will find out
            self._pipe.send_bytes(pickle.dumps((job, store, task, dict(gone))))

    def annotate(self, i: int, dead: dict[str, ClipError]) -> Found | _Death:
        """What was found of clip `i`; or what it died of."""
        at, loading = "", False
        try:
            self._pipe.send((i, dead))
            if not self._pipe.poll(self._start_s):
                return _Death("", False, ClipError("hung", f"it did not begin within {self._start_s:.0f} s"))
            limit_s = self._start_s
            while self._pipe.poll(2 * limit_s):  # it ends itself, unless it is stopped or stuck in the kernel
                word, value = self._pipe.recv()
                if word == "for":
                    limit_s = value
                    continue
                if word == "found":
                    found: Found = value
                    return found
                if word == "broken":
                    raise value
                at, loading = value, word == "load"
            silent = ClipError("hung", "its process gave no sign of life for longer than it may")
            return _Death(at, loading, silent)
        except (EOFError, OSError):  # OSError: it died in the middle of a message
            annotating = bool(at) and not loading
            doing = "annotating this clip" if annotating else "loading the annotators"
            return _Death(at, loading, self._cause(doing))

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _cause(self, doing: str) -> ClipError:
        try:
            code = self._process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            return ClipError("worker_died", f"{doing} closed the pipe to its process")
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - LAST_WORDS_BYTES))
        said = self._errors.read().decode(errors="replace")
        if code == 1 and "Timeout (" in said:
            return ClipError("hung", f"{doing} did not end before its deadline")
        if code < 0:
            return ClipError("worker_died", f"{doing} ended the process by {_signal(-code)}")
        return ClipError("worker_died", f"{doing} ended the process with exit code {code}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _serve(pipe: Connection[Any, Any]) -> None:
    """The child: annotate one clip after another until the parent is gone."""
    job, store, task, gone = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from our own parent, through a private pipe

    pipe.send(("at", ""))
    worker = Worker(job, store, deadline_guard(job.limits, lambda limit_s: pipe.send(("for", limit_s))))
    ways = worker.ways(task)
    try:
        for way in ways:
            if way.key in gone:
                worker.do_without(way, str(gone[way.key]))
            pipe.send(("load", way.key))
            worker.annotator(way)
        pipe.send(("at", ""))
        clips = worker.load(task.shard, ways)
    except Exception as error:
        known = isinstance(error, SpeechcraftError)
        pipe.send(("broken", error if known else ShardError(f"{type(error).__name__}: {error}")))
        return
    with ExitStack() as stack:
        kept = {way.key: worker.kept(task, way, clips) for way in ways}
        journals = {way.key: stack.enter_context(worker.journal(task.shard, way)) for way in ways}
        while True:
            i, dead = pipe.recv()
            found: Found = {}
            one = clips.only(i)
            for way in ways:
                pipe.send(("at", way.key))
                try:
                    death = dead.get(way.key)
                    stands = {0: kept[way.key][i]} if i in kept[way.key] else {}
                    found[way.key] = _annotate_one(worker, way, one, death, journals[way.key], stands)
                except UsageError as error:
                    pipe.send(("broken", error))
                    return
            pipe.send(("found", found))


def _annotate_one(
    worker: Worker,
    way: Way,
    one: Clips,
    death: ClipError | None,
    journal: Journal,
    kept: Mapping[int, tuple[Outcome, Pcm | None]],
) -> tuple[Outcome, Pcm | None]:
    if death is not None and not kept and settled(way, one.clip(0, way), one.items[0].problem) is None:
        result = Result([death], [None] if way.makes_sound else None)
    else:
        result = run_way(worker.annotator(way), way, one, worker.guard, journal, kept)
    if result.sounds is not None:
        one.add_sounds(way, result.sounds)
    one.add(way, result.rows())
    return result.outcomes[0], result.sounds[0] if result.sounds else None


if __name__ == "__main__":
    try:
        _serve(Connection(int(sys.argv[1])))
    except (EOFError, ConnectionError):
        sys.exit(0)
