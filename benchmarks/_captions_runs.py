"""Ours and the bare loop, for benchmarks/captions.py: the same clips, requests and endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from annotators._chat.asker import seed_of
from annotators._chat.body import Form, Question, Sampling
from annotators.caption._attributes import attributes_of
from pipeline.engine.driver import run_phase
from pipeline.engine.ray_engine import RayEngine
from pipeline.engine.watcher import Watcher
from pipeline.job import Job
from pipeline.manifest import shard_of, write_shard
from pipeline.planning import plan_source
from pipeline.pool import Pool
from pipeline.rundir import Shard
from pipeline.storage import Store
from prompts.rewriter import load
from tests.endpoint.corpus import clips_of, items_of, job_of
from tests.endpoint.fake import Fake

ACTORS = 2
WARM_CLIPS = 8


@dataclass(frozen=True)
class Timing:
    """So many captions, in so long; CPU seconds of ours and of the endpoint."""

    captions: int
    wall_s: float
    cpu_s: float
    endpoint_cpu_s: float

    @property
    def per_s(self) -> float:
        """Captions a second."""
        return self.captions / self.wall_s


def job(url: str, in_flight: int, shard_size: int, **options: object) -> Job:
    """Known labels, and captions in a pool of two processes that share so many in flight."""
    pools = (
        Pool("cpu", actors=1),
        Pool("llm", cpus=0.5, actors=ACTORS, families=frozenset({"caption"})),
    )
    asked = {"endpoint": url, "in_flight": in_flight // ACTORS, "language": "en", **options}
    return job_of(asked, shard_size=shard_size, pools=pools)


def ours(run: Path, endpoint: Fake | None, made: Job, count: int) -> Timing:
    """The captions of `count` clips of which all else is known: what the phase takes once it is warm."""
    store, engine = Store(str(run)), RayEngine()
    known = [way for way in made.ways if way.family != "caption"]
    try:
        for shards in (_warm_shards(store), _planned(store, made, count)):
            run_phase(made, store, engine, shards, known, Watcher(), "known")
            with stopwatch(endpoint) as timings:
                run_phase(made, store, engine, shards, made.of("caption"), Watcher(), "captions")
    finally:
        engine.stop()
    return Timing(count, *timings[0])


def bare(endpoint: Fake, in_flight: int, count: int) -> Timing:
    """The same requests from one loop that keeps nothing and checks nothing: the ceiling."""
    bodies = requests_of(count)
    with stopwatch(endpoint) as timings:
        asyncio.run(_send(f"{endpoint.url}/v1/chat/completions", bodies, in_flight))
    return Timing(count, *timings[0])


def requests_of(count: int, model: str = "rewriter", seed: int = 0) -> list[bytes]:
    """The bodies that ours sends for as many clips, at a seed."""
    prompt = load("caption", "en")
    form = Form(Sampling(model, 0.7, 0.95, 768), prompt.schema)
    found = []
    for clip in clips_of(count):
        messages = prompt.messages(attributes_of(clip), key=clip.id, seed=seed)
        found.append(Question(form, messages, seed_of(seed, clip.id, 1)).body(0))
    return found


def drive(run: Path, url: str, in_flight: int, shard_size: int, count: int) -> subprocess.Popen[bytes]:
    """The whole of an annotate run in a process of its own, to be killed."""
    script = Path(__file__).with_name("captions.py")
    numbers = [str(n) for n in (in_flight, shard_size, count)]
    return subprocess.Popen([sys.executable, str(script), "--drive", str(run), url, *numbers])


def _planned(store: Store, made: Job, count: int) -> list[Shard]:
    items = items_of(count)
    return [p.shard for p in plan_source(store, items, made.shard_size)]


def _warm_shards(store: Store) -> list[Shard]:
    """A few clips for every process to load its annotators on, under numbers of their own."""
    shards = []
    for number in range(4 * ACTORS):
        items = items_of(WARM_CLIPS, start=1_000_000 + number * WARM_CLIPS)
        shards.append(shard_of(90_000 + number, items))
        write_shard(store, shards[-1], items)
    return shards


async def _send(url: str, bodies: Sequence[bytes], in_flight: int) -> None:
    waiting = iter(bodies)

    async def drain(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            async with session.post(url, data=body, headers=headers) as response:
                json.loads(await response.read())["choices"][0]["message"]["content"]

    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(drain(session) for _ in range(in_flight)))


@contextmanager
def stopwatch(endpoint: Fake | None) -> Iterator[list[tuple[float, float, float]]]:
    """Wall seconds, CPU seconds of this process and those below it, and CPU seconds of the endpoint."""
    found: list[tuple[float, float, float]] = []
    before, started = _cpu_s(endpoint), time.perf_counter()
    yield found
    wall_s = time.perf_counter() - started
    after = _cpu_s(endpoint)
    found.append((wall_s, after[0] - before[0], after[1] - before[1]))


def _cpu_s(endpoint: Fake | None) -> tuple[float, float]:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    own, served = ended.ru_utime + ended.ru_stime, 0.0
    pid = endpoint.pid if endpoint else None
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        if process.pid == pid:
            served += times.user + times.system
        else:
            own += times.user + times.system
            if process.pid != os.getpid():
                own += times.children_user + times.children_system
    return own, served
