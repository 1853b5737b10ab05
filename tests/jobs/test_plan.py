"""A forecast is what the run itself would then be: hours, bytes and objects, as far as a sample can tell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.forecast.estimate import ratio
from jobs.forecast.parts import sizes
from pipeline.parquet import encoded
from tests.command import speechcraft
from tests.faulty.folder import Folder


@given(st.lists(st.floats(0.1, 1000.0), min_size=2, max_size=50), st.floats(0.001, 1000.0))
def test_where_every_shard_takes_the_same_nothing_is_uncertain(sizes: list[float], rate: float) -> None:
    found = ratio([rate * size for size in sizes], sizes)
    assert found.value == pytest.approx(rate)
    assert found.low == pytest.approx(rate, rel=1e-4)
    assert found.high == pytest.approx(rate, rel=1e-4)


def test_the_interval_holds_the_true_ratio_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(1000):
        sizes = random.uniform(50, 150, 20)
        found = ratio(list(sizes * random.normal(3.0, 0.6, 20)), list(sizes))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 3.0 <= found.high
    assert 930 <= hits <= 970


def test_one_shard_tells_no_interval_and_no_speech_no_cost() -> None:
    assert ratio([2.0], [4.0]).low is None
    assert ratio([2.0, 1.0], [0.0, 0.0]).value == 0.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A run of six clips."""
    folder = Folder(tmp_path_factory.mktemp("plan"))
    assert folder.annotate().code == 0
    return folder


def test_a_forecast_from_all_of_a_source_is_the_run(folder: Folder) -> None:
    source, *job = folder.command[:5]
    ended = speechcraft("plan", source, *job, "--sample", 6, "--json")
    assert ended.code == 0, ended.err
    facts = ended.json
    run = folder.run
    files = {
        "manifest": list(run.glob("manifest/*")),
        "sound": list(run.glob("*@*/*.arrow")),
        "sidecars": list(run.glob("*@*/*.parquet")),
    }
    assert (facts["clips"], facts["shards"]) == (6, 3)
    assert {kind: facts["objects"][kind] for kind in files} == {k: len(found) for k, found in files.items()}
    size = {kind: sum(f.stat().st_size for f in found) for kind, found in files.items()}
    assert facts["bytes"]["sound"]["value"] == pytest.approx(size["sound"], rel=0.01)
    assert facts["bytes"]["sidecars"]["value"] == pytest.approx(size["sidecars"], rel=0.1)
    assert facts["sample"]["items"] == facts["sample"]["of"] == 6
    assert {line["annotator"] for line in facts["annotators"]} == {
        "sound-decode",
        "energy-energy",
        "pitch-dio",
        "topic-topic",
        "",
    }
    assert facts["core_hours"]["value"] > 0
    assert facts["gpu_hours"]["value"] == 0


def test_twice_the_hours_take_twice_as_much_and_twice_the_processes_half_the_time(folder: Folder) -> None:
    source, *job = folder.command[:5]
    facts = speechcraft("plan", source, *job, "--sample", 3, "--hours", 1000, "--actors", 4, "--json").json
    pool = facts["pools"][0]
    assert facts["sample"]["items"] == 3
    assert facts["clips"] == pytest.approx(1000 * 3600 / (facts["sample"]["speech_s"] / 3), rel=0.01)
    assert pool["elapsed_hours"]["value"] == pytest.approx(pool["process_hours"]["value"] / 4, rel=0.01)
    assert (
        pool["process_hours"]["value"] >= sum(a["process_hours"]["value"] for a in facts["annotators"]) * 0.99
    )


def test_a_sample_is_drawn_from_all_of_the_source_and_the_folder_is_left_alone(
    folder: Folder, tmp_path: Path
) -> None:
    source, *job = folder.command[:5]
    before = sorted(Path(source).parent.iterdir())
    said = speechcraft("plan", source, *job, "--sample", 2, "--seed", 3)
    assert said.code == 0, said.err
    assert "Measured on 2 of 6 items" in said.out
    rows = [line.split() for line in said.out.splitlines() if re.match(" ?[a-z]+-[a-z]+ ", line)]
    assert [(len(row), row[0], row[1]) for row in rows] == [
        (7, name, "cpu") for name in ("sound-decode", "energy-energy", "pitch-dio", "topic-topic")
    ]
    assert sorted(Path(source).parent.iterdir()) == before


def test_the_hours_of_the_table_are_those_of_the_pools_and_its_shares_are_all(folder: Folder) -> None:
    source, *job = folder.command[:5]
    facts = speechcraft("plan", source, *job, "--sample", 4, "--hours", 1000, "--json").json
    hours = [line["process_hours"]["value"] for line in facts["annotators"]]
    assert sum(hours) == pytest.approx(facts["pools"][0]["process_hours"]["value"], rel=1e-3)
    assert sum(line["share"] for line in facts["annotators"]) == pytest.approx(1.0, abs=1e-3)
    for line, value in zip(facts["annotators"], hours, strict=True):
        assert line["share"] == pytest.approx(value / sum(hours), abs=1e-3)


def _row(random: np.random.Generator, i: int) -> dict[str, Any]:
    words = int(random.integers(2, 20))
    return {
        "id": f"{i:05d}",
        "status": "ok",
        "transcript": " ".join(map(str, random.integers(0, 9999, words))),
        "f0_hz": float(random.normal(150, 30)),
        "times_s": list(random.random(words)),
    }


def test_a_few_clips_tell_the_bytes_of_many_within_the_interval_nineteen_times_in_twenty() -> None:
    """Shards of one clip are mostly footer; those of the run to come are not."""
    random = np.random.default_rng(5)
    rows = [_row(random, i) for i in range(5000)]
    all_ = pa.Table.from_pylist(rows)
    seconds = [len(row["times_s"]) / 3 for row in rows]
    right = sum(encoded(all_.slice(start, 500)).size for start in range(0, 5000, 500)) / sum(seconds)
    hits, values = 0, []
    for _ in range(300):
        drawn = [int(i) for i in random.choice(5000, 12, replace=False)]
        parts = sizes([all_.slice(i, 1) for i in drawn], encoded)
        found = ratio(parts.amounts([1] * 12, 500), [seconds[i] for i in drawn])
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= right <= found.high
        values.append(found.value)
    assert hits >= 0.9 * 300
    assert np.mean(values) == pytest.approx(right, rel=0.1)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9).filter(lambda n: sum(n) > 1), st.integers(1, 999))
def test_what_every_file_takes_is_told_from_what_its_clips_take(clips: list[int], fixed: int) -> None:
    tables = [pa.table({"a": [0] * n}) for n in clips]
    parts = sizes(tables, lambda table: pa.py_buffer(bytes(fixed + 7 * table.num_rows)))
    assert parts.fixed == fixed
    assert parts.values == pytest.approx([7.0 * n for n in clips])
