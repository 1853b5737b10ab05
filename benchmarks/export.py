"""Peak memory of an export with the sound embedded, by rows: it must not grow with them.

    python benchmarks/export.py --rows 10000 100000 --to hf

Makes a run of so many clips in a temporary folder, each a second of noise from one of 100 files, exports it
in a child process, and prints the child's peak resident memory.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline import layout, parquet, rundir
from pipeline.clip import AudioRef, Given
from pipeline.join import INDEX
from pipeline.layout import Layout
from pipeline.manifest import laid_out, write_shard
from pipeline.rundir import DATASET, JOB
from pipeline.schema import GIVEN_COLUMNS
from pipeline.source.base import Item
from pipeline.storage import Store

SHARD_ROWS, FILE_ROWS = 500, 20_000
CHILD = """
import sys, time
from benchmarks._peak import peak_mib
from jobs.export.export import export
from jobs.export.request import Request
started = time.monotonic()
done = export(sys.argv[1], sys.argv[2], Request(sys.argv[3]), lambda text: None)
print(peak_mib(), time.monotonic() - started, done.bytes / 1e6)
"""


def make_run(folder: Path, rows: int) -> None:
    """A run of that many clips, as annotating would leave it, without its sidecars."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for i in range(100):
        soundfile.write(folder.parent / f"{rows}-{i}.wav", rng.normal(0, 0.1, 16000), 16000)
    store = Store(str(folder))
    shards = []
    for index, start in enumerate(range(0, rows, SHARD_ROWS)):
        items = [_item(folder, rows, i) for i in range(start, min(rows, start + SHARD_ROWS))]
        shards.append(laid_out(index, items))
        write_shard(store, shards[-1].shard, items)
    layout.write(store, rundir.INDEX, Layout.of(shards))
    files = []
    for number, start in enumerate(range(0, rows, FILE_ROWS)):
        name = f"data/train-{number:05d}.parquet"
        data = parquet.write(store, f"{DATASET}/{name}", _table(start, min(rows, start + FILE_ROWS)))
        files.append({"name": name, "sha256": hashlib.sha256(data).hexdigest()})
    store.write(INDEX, json.dumps({"clips": rows, "files": files}).encode())
    store.write(JOB, yaml.safe_dump({"source": "made", "annotators": {}, "shard_size": SHARD_ROWS}).encode())


def _item(folder: Path, rows: int, i: int) -> Item:
    path = folder.parent / f"{rows}-{i % 100}.wav"
    return Item(f"clip-{i:07d}", AudioRef(str(path)), Given(speaker=f"s{i % 997}", licence="CC0-1.0"))


def _table(first: int, last: int) -> pa.Table:
    n = last - first
    word = {"word": "word", "start_s": 0.1, "end_s": 0.3}
    given = {name: pa.array([None] * n, pa.string()) for name in GIVEN_COLUMNS}
    text = [f"words of clip number {i} that somebody may have said" for i in range(first, last)]
    return pa.table(
        {
            "id": [f"clip-{i:07d}" for i in range(first, last)],
            "audio": [""] * n,
            "offset_s": pa.array([None] * n, pa.float64()),
            **given,
            "speaker": [f"s{i % 997}" for i in range(first, last)],
            "duration_s": [1.0] * n,
            "transcript": text,
            "words": [[word] * 12] * n,
            "description": [f"A voice, number {t}." for t in text],
            "status": ["ok"] * n,
            "error": pa.array([None] * n, pa.string()),
        }
    )


def peak_mib(folder: Path, rows: int, to: str) -> tuple[float, float, float]:
    """Peak memory in MiB, seconds and MB written of an export of that many clips."""
    make_run(folder / "run", rows)
    command = [sys.executable, "-c", CHILD, str(folder / "run"), str(folder / "out"), to]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    peak, seconds, size = map(float, done.stdout.split())
    return peak, seconds, size


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--to", default="hf")
    asked = parser.parse_args()
    print(f"{'rows':>8} {'peak MiB':>9} {'s':>7} {'MB written':>10}")
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as folder:
            peak, seconds, size = peak_mib(Path(folder), rows, asked.to)
            print(f"{rows:>8} {peak:>9.0f} {seconds:>7.1f} {size:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
