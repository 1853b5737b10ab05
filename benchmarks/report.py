"""Peak memory and time of a report, by clips: memory must not grow with them.

    python benchmarks/report.py --clips 10000 100000

Annotates the example clips, repeats what was found of them as shards of a larger run, joins that, and makes
its report in a child process. The child's peak resident memory is printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from jobs.recorded import job_as_ran
from jobs.runs import Run
from pipeline import layout, parquet
from pipeline.join import join
from pipeline.layout import Laid, Layout
from pipeline.manifest import laid_out, read_shard, write_shard
from pipeline.rundir import INDEX
from pipeline.source.base import Item

ROOT = Path(__file__).parents[1]
COPIES = 18
"""Of the example clips in a shard: about 500."""
CHILD = """
import sys, time
from benchmarks._peak import peak_mib
from jobs.report import write_report
started = time.monotonic()
write_report(sys.argv[1], seed=0, say=lambda text: None)
print(peak_mib(), time.monotonic() - started)
"""


def annotate(folder: Path) -> None:
    """A run of the example clips, in one shard."""
    command = ["-m", "jobs.cli", "annotate", "examples/clips", "--out", str(folder), "--engine", "inline"]
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT, capture_output=True)


def grow(folder: Path, clips: int) -> None:
    """Make a run of one shard one of at least so many clips."""
    run = Run.open(str(folder))
    job, (first,) = job_as_ran(run), run.shards
    items = read_shard(run.store, first)
    tables = {way.key: parquet.read(run.store, first.sidecar(way.key)) for way in run.ways}
    made: list[Laid] = []
    for index in range(-(-clips // (COPIES * len(items)))):
        more = [_copy(item, index * COPIES + k) for k in range(COPIES) for item in items]
        made.append(laid_out(index, more))
        shard = made[-1].shard
        write_shard(run.store, shard, more)
        ids = pa.array([item.id for item in more], pa.string())
        for key, table in tables.items():
            whole = pa.concat_tables([table] * COPIES).set_column(0, table.schema.field(0), ids)
            parquet.write(run.store, shard.sidecar(key), whole)
    layout.write(run.store, INDEX, Layout.of(made))
    join(run.store, job, [one.shard for one in made])


def _copy(item: Item, number: int) -> Item:
    return replace(item, id=f"{item.id}-{number:05d}")


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", default=[10_000, 100_000])
    print(f"{'clips':>8} {'peak MiB':>9} {'s':>7}")
    for clips in parser.parse_args().clips:
        with tempfile.TemporaryDirectory() as folder:
            annotate(Path(folder) / "run")
            grow(Path(folder) / "run", clips)
            command = [sys.executable, "-c", CHILD, str(Path(folder) / "run")]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
            peak, seconds = map(float, done.stdout.split())
            print(f"{clips:>8} {peak:>9.0f} {seconds:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
