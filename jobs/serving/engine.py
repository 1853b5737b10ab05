"""An engine whose job asks language models: they are served while it works, and not longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from annotators._chat.address import LATER
from jobs.serving.asked import ENDPOINT
from jobs.serving.fleet import Fleet, LocalFleet, RayFleet
from jobs.serving.settings import Serve
from pipeline.engine.base import Backlog, Done, Engine, Lost, Tell
from pipeline.engine.pools import local_gpus
from pipeline.engine.ray_engine import RayEngine
from pipeline.engine.worker import Task
from pipeline.errors import OptionError, RunError
from pipeline.job import Job
from pipeline.pool import Pool
from pipeline.storage import Store
from pipeline.way import Way


class ServedEngine:
    """Starts servers when there is work, tells the annotators where they are, and ends them with the work.

    Workers are ended before the servers: a worker that outlived them would write that nobody answered.
    """

    def __init__(self, engine: Engine, serve: Serve, say: Callable[[str], None], *, cpu: bool) -> None:
        self._engine, self._serve, self._say, self._cpu = engine, serve, say, cpu
        self._fleet: Fleet | None = None
        self._addresses: Sequence[str] = ()

    def start(self, job: Job, store: Store) -> None:
        """Bring the servers up if they are not, then the processes of the job."""
        if not self._addresses:
            self._fleet = self._make(job)
            self._say(f"starting {', '.join(self._serve.names)} with vLLM")
            self._addresses = self._fleet.start()
            self._say(f"served at {', '.join(self._addresses)}")
        self._engine.start(with_endpoints(job, self._addresses), store)

    def follow(self, backlogs: Mapping[str, Backlog]) -> None:
        """To the engine."""
        self._engine.follow(backlogs)

    def room(self, pool: str) -> int:
        """As the engine has it."""
        return self._engine.room(pool)

    def submit(self, pool: str, task: Task) -> None:
        """To the engine."""
        self._engine.submit(pool, task)

    def wait(self, tell: Tell) -> Sequence[Done | Lost]:
        """As the engine does; servers that are lost are replaced meanwhile."""
        if self._fleet is not None:
            self._fleet.look()
        return self._engine.wait(tell)

    def stop(self) -> None:
        """End the workers, then the servers, then what the engine runs on."""
        try:
            if isinstance(self._engine, RayEngine):
                self._engine.dismiss()
            if self._fleet is not None:
                self._fleet.stop()
        finally:
            self._fleet, self._addresses = None, ()
            self._engine.stop()

    def _make(self, job: Job) -> Fleet:
        gpus = 0.0 if self._cpu else self._serve.gpus
        if not isinstance(self._engine, RayEngine):
            count = server_count(self._serve, gpus, (), local_gpus())
            if count > 1 and gpus:
                raise OptionError("The inline engine serves from one GPU only: use --engine ray.")
            return LocalFleet(self._serve, count, cpu=not gpus)
        self._engine.connect()
        count = server_count(self._serve, gpus, job.pools, self._engine.gpus())
        self._engine.held_gpus = gpus * count
        return RayFleet(self._serve, count, gpus=gpus, host=self._engine.local_host())


def server_count(serve: Serve, gpus: float, pools: Sequence[Pool], there: float) -> int:
    """How many servers: as asked for; auto: one on a processor, else as many as there are GPUs for.

    Pools that want GPUs keep what they were given by number, and half of all where they take what they
    can get. RunError where pools and servers together want more than there is.
    """
    if not gpus:
        return 1 if serve.replicas == "auto" else serve.replicas
    wanting = [pool for pool in pools if pool.gpus]
    least = sum(pool.gpus * max(1, pool.bounds[0]) for pool in wanting)
    left = there - least
    if any(pool.bounds[0] != pool.bounds[1] for pool in wanting):
        left = min(left, max(gpus, there / 2))
    fit = int(left / gpus + 1e-9)
    count = max(1, fit) if serve.replicas == "auto" else serve.replicas
    if least + gpus * count > there + 1e-9:
        raise RunError(
            f"The job's pools and servers want {least + gpus * count:g} GPUs and there are {there:g}: serve "
            "with a share of one ('gpus: 0.5' in the pool and in 'serve'), or add --cpu."
        )
    return count


def with_endpoints(job: Job, addresses: Sequence[str]) -> Job:
    """The job with those annotators told that ask what it serves.

    Their fingerprints stay: where a model runs changes no value.
    """
    ways = tuple(
        replace(way, options={**way.options, ENDPOINT: tuple(addresses)}) if is_asking(way) else way
        for way in job.ways
    )
    return replace(job, ways=ways)


def is_asking(way: Way) -> bool:
    """Whether it asks what the job itself serves."""
    return way.options.get(ENDPOINT) == LATER
