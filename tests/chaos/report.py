"""A storm from its beginning to the comparison with a run that nothing happened to."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pipeline.rundir import DATASET
from pipeline.storage import Store
from tests.chaos.cluster import two_nodes
from tests.chaos.corpus import (
    CLIPS_PER_SHARD,
    IN_FLIGHT,
    LATENCY_S,
    LLM_ACTORS,
    POOLS,
    shard_of,
    write_corpus,
)
from tests.chaos.ledger import LEDGER, PAUSE_S
from tests.chaos.storm import Forecast, Storm, Weather
from tests.command import speechcraft
from tests.endpoint.fake import fake
from tests.s3.server import serving


@dataclass(frozen=True)
class Outcome:
    """What happened, what it cost, and both datasets: every file by its name."""

    weather: Weather
    again: Counter[tuple[str, int]]
    """Shards computed again, by pool and number."""
    asked_again: int
    """Answers of the endpoint that were there before."""
    most_asked_again: int
    """Those that were on their way when somebody died; on S3 also those of the last second, for a journal."""
    s3: dict[str, int]
    """Requests and 503s."""
    stormy: dict[str, bytes]
    calm: dict[str, bytes]


def weather_the_storm(
    folder: Path,
    forecast: Forecast,
    shards: int,
    *,
    one_in: int | None = None,
    cpu_actors: int | None = None,
) -> Outcome:
    """A run in a storm, one without. On S3 one in `one_in` requests fails; none: it is all in the folder."""
    write_corpus(folder, shards, cpu_actors)
    with ExitStack() as stack:
        s3 = stack.enter_context(serving()) if one_in else None
        out = f"{s3.bucket()}/run" if s3 else str(folder / "run")
        endpoint = stack.enter_context(fake(folder, latency_s=LATENCY_S))
        environment = {**os.environ, LEDGER: str(folder / "ledger"), PAUSE_S: str(forecast.pause_s)}
        with two_nodes(environment) as cluster, ExitStack() as failing:
            if s3 and one_in:
                failing.enter_context(s3.failing(one_in, seed=forecast.seed))
            storm = Storm(folder, out, cluster, endpoint, forecast, shards * CLIPS_PER_SHARD)
            weather = storm.run()
        asked_again = endpoint.asked_again()
        endpoint.follow()
        calm = speechcraft(
            *("annotate", folder / "speech.jsonl", "--job", folder / "job.yaml", "--engine", "inline"),
            *("--out", folder / "calm", "--set", f"caption.endpoint={endpoint.url}"),
        )
        assert calm.code == 0, calm.err
        deaths = sum(count for what, count in weather.fired.items() if what != "endpoint dead")
        return Outcome(
            weather,
            storm.ledger.again(POOLS, shard_of),
            asked_again,
            deaths * LLM_ACTORS * (CLIPS_PER_SHARD if s3 else IN_FLIGHT),
            s3.done() if s3 else {},
            dataset_bytes(out),
            dataset_bytes(str(folder / "calm")),
        )


def dataset_bytes(url: str) -> dict[str, bytes]:
    """Every file of a run's dataset."""
    store = Store(url)
    return {name: store.read(name) for name in sorted(store.names(DATASET))}
