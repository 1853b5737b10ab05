"""Whatever dies, in whatever order: the dataset is the one that nothing had happened to."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.chaos.corpus import CLIPS_PER_SHARD
from tests.chaos.report import weather_the_storm
from tests.chaos.storm import Forecast

SHARDS, WORKERS = 60, 4


@pytest.mark.timeout(900)
def test_after_a_storm_the_dataset_is_byte_for_byte_the_undisturbed_one(tmp_path: Path) -> None:
    found = weather_the_storm(
        tmp_path, Forecast(seed=1, workers=WORKERS, pause_s=0.05), SHARDS, one_in=10, cpu_actors=2
    )
    weather = found.weather
    assert found.stormy == found.calm
    (data,) = (data for name, data in found.stormy.items() if name.endswith(".parquet"))
    rows = pq.read_table(io.BytesIO(data)).to_pylist()
    assert len(rows) == SHARDS * CLIPS_PER_SHARD
    assert {(row["status"], row["caption_source"]) for row in rows} == {("ok", "llm:base")}

    assert weather.fired == {"worker killed": WORKERS, "node lost": 1, "driver killed": 2, "endpoint dead": 1}
    assert weather.exits == [-9, -9, 0]
    assert weather.tried_again > 0
    assert weather.turned_away > 0
    assert found.s3["slow"] > 0
    assert sum(found.again.values()) <= weather.in_flight
    assert found.asked_again <= found.most_asked_again
