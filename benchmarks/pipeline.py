"""How fast the factory annotates on this machine, beside the same annotators in a bare process pool.

    python benchmarks/pipeline.py path/to/manifest.jsonl --limit 600

Every contestant annotates the same clips, what the manifest gives being given, once its processes are
up and have annotated a few clips. The process pool is the reference: the same annotators over the same
shards, writing the same Parquet, without plan, retries, deadlines or resumption. The share of the
engine is the CPU time of the driver and of Ray's own processes over all CPU time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import psutil

if not __package__:  # run as a file: `import pipeline` would find this very file
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks._machine import commit, processor
from jobs.jobfile import build_job, read_profile
from pipeline.engine.base import Engine
from pipeline.engine.driver import run_phase
from pipeline.engine.flow import annotate
from pipeline.engine.inline import InlineEngine
from pipeline.engine.ray_cluster import ONE_THREAD
from pipeline.engine.ray_engine import RayEngine
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Task, Worker
from pipeline.job import Job
from pipeline.manifest import read_shard, shard_of, write_shard
from pipeline.rundir import Shard
from pipeline.source import Item, open_source
from pipeline.storage import Store

_CONTESTANTS = ("inline", "process pool, 1", "ray, 1 actor", "process pool, 2", "ray, 2 actors")
_WARM_CLIPS = 4
_worker: list[Worker] = []
"""Of a process of the pool."""


@dataclass(frozen=True)
class Corpus:
    """What every contestant annotates."""

    job: Job
    store: Store
    shards: list[Shard]
    speech_s: float
    clips: int


@dataclass(frozen=True)
class Timing:
    """One run; `engine_cpu_s` is what driver, raylet and GCS took of `cpu_s`."""

    wall_s: float
    cpu_s: float
    engine_cpu_s: float


def main() -> None:
    """Measure every contestant in turn, several rounds, and print medians and ratios."""
    arguments = _arguments()
    os.environ |= ONE_THREAD
    names = [name for name in _CONTESTANTS if name != "inline" or not arguments.no_inline]
    with tempfile.TemporaryDirectory() as folder:
        corpus = _prepare(arguments, Path(folder) / "prepared")
        timings: dict[str, list[Timing]] = {name: [] for name in names}
        for number in range(arguments.rounds):
            for name in names:
                timings[name].append(_run(name, corpus, Path(folder) / f"{number}-{name.replace(' ', '')}"))
    _report(timings, corpus)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source")
    parser.add_argument("--limit", type=int, default=600, help="clips")
    parser.add_argument("--shard-size", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-inline", action="store_true", help="only Ray and process pools")
    return parser.parse_args()


def _prepare(arguments: argparse.Namespace, folder: Path) -> Corpus:
    """Annotate once, so that thresholds are frozen and lengths are known."""
    items: list[Item] = list(islice(open_source(arguments.source), arguments.limit))
    job = build_job(read_profile("embedded"), shard_size=arguments.shard_size)
    store = Store(str(folder))
    outcome = annotate(items, job, store, InlineEngine(), Watcher())
    return Corpus(outcome.job, store, outcome.shards, outcome.joined.seconds, len(items))


def _run(name: str, corpus: Corpus, folder: Path) -> Timing:
    store = Store(str(folder))
    for shard in corpus.shards:
        store.write(shard.manifest, corpus.store.read(shard.manifest))
    count = int(name.split(", ")[1][0]) if ", " in name else 1
    if name.startswith("process pool"):
        return _pool(count, corpus, store)
    return _engine(InlineEngine() if name == "inline" else RayEngine(actors=count), count, corpus, store)


def _engine(engine: Engine, count: int, corpus: Corpus, store: Store) -> Timing:
    try:
        _phase(engine, corpus.job, store, _warm_shards(corpus, store, 2 * count))
        with _stopwatch() as timings:
            _phase(engine, corpus.job, store, corpus.shards)
    finally:
        engine.stop()
    return timings[0]


def _phase(engine: Engine, job: Job, store: Store, shards: Sequence[Shard]) -> None:
    run_phase(job, store, engine, shards, job.ways, Watcher(), "benchmark")


def _pool(count: int, corpus: Corpus, store: Store) -> Timing:
    keys = tuple(w.key for w in corpus.job.ways)
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, spawned, _begin, (corpus.job, store)) as pool:
        list(pool.map(_annotate, [Task(s, keys) for s in _warm_shards(corpus, store, 2 * count)]))
        with _stopwatch() as timings:
            list(pool.map(_annotate, [Task(s, keys) for s in corpus.shards]))
    return timings[0]


def _begin(job: Job, store: Store) -> None:
    _worker.append(Worker(job, store))


def _annotate(task: Task) -> None:
    _worker[0].run(task)


def _warm_shards(corpus: Corpus, store: Store, count: int) -> list[Shard]:
    """A few clips for every process to load its models on, under numbers of their own."""
    items = read_shard(store, corpus.shards[0])[:_WARM_CLIPS]
    shards = []
    for number in range(count):
        named = [replace(item, id=f"warm-{number}-{item.id}") for item in items]
        shards.append(shard_of(90_000 + number, named))
        write_shard(store, shards[-1], named)
    return shards


@contextmanager
def _stopwatch() -> Iterator[list[Timing]]:
    timings: list[Timing] = []
    before, started = _cpu_by_process(), time.perf_counter()
    yield timings
    wall_s = time.perf_counter() - started
    spent = {k: s - before.get(k, (name, 0.0))[1] for k, (name, s) in _cpu_by_process().items()}
    names = {k: name for k, (name, _) in _cpu_by_process().items()}
    own = sum(s for k, s in spent.items() if not _is_worker(names.get(k, "")))
    timings.append(Timing(wall_s, sum(spent.values()), own))


def _cpu_by_process() -> dict[tuple[int, float], tuple[str, float]]:
    """CPU seconds so far of this process and all below it."""
    found = {}
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            times = process.cpu_times()
            name = " ".join(process.cmdline()[:2])
            found[process.pid, process.create_time()] = (name, times.user + times.system)
        except psutil.Error:
            continue
    return found


def _is_worker(name: str) -> bool:
    return name.startswith("ray::Actor") or "multiprocessing" in name


def _report(timings: dict[str, list[Timing]], corpus: Corpus) -> None:
    wall = {name: statistics.median(t.wall_s for t in found) for name, found in timings.items()}
    reference = {"ray, 1 actor": "process pool, 1", "ray, 2 actors": "process pool, 2"}
    print(
        f"{corpus.clips} clips, {corpus.speech_s / 3600:.3f} h of speech, {len(corpus.shards)} shards; "
        f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}, commit {commit()}\n"
    )
    print("| | seconds | x real time | to the pool of as many | CPU s | engine's share |")
    print("|---|---|---|---|---|---|")
    for name, found in timings.items():
        ratio = f"{wall[reference[name]] / wall[name]:.3f}" if name in reference else ""
        share = statistics.median(t.engine_cpu_s / t.cpu_s for t in found)
        shown = f"{share:.1%}" if name.startswith("ray") else ""
        cpu_s = statistics.median(t.cpu_s for t in found)
        speed = corpus.speech_s / wall[name]
        print(f"| {name} | {wall[name]:.1f} | {speed:.0f} | {ratio} | {cpu_s:.1f} | {shown} |")


if __name__ == "__main__":
    main()
