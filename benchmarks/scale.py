"""Many shards: plan, annotate with an annotator that does nothing, resume, join; what each step takes.

    python -m benchmarks.scale 4000                   # 2 million clips, on this disk
    python -m benchmarks.scale 4000 --s3              # on an S3 server on loopback (moto)
    python -m benchmarks.scale 150000 --clips 5 --ways 13 --without annotate,join

Every step is a process of its own, so that its peak is its own. `--ways` writes so many folders of sidecars,
packed as a finished run leaves them, without annotating: what a resume of a whole job looks at.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._machine import commit, processor
from pipeline.annotator import Annotator
from pipeline.clip import AudioRef, Clip, Given
from pipeline.engine.flow import annotate
from pipeline.engine.inline import InlineEngine
from pipeline.engine.watcher import Watcher
from pipeline.job import Job, make_job
from pipeline.join import join
from pipeline.layout import read_index
from pipeline.packs import PACK_SHARDS
from pipeline.planning import plan_source, plan_utterances
from pipeline.presence import present
from pipeline.rows import Column, Row
from pipeline.rundir import DATASET
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import WaySpec

STEPS = ("plan", "annotate", "resume", "join")


@dataclass(frozen=True, slots=True)
class Nothing(Row):
    """Nothing in particular."""

    length: Annotated[int, Column("of the id")]


class NothingAnnotator(Annotator[Nothing]):
    """Does nothing, and says so."""

    row = Nothing
    version = 1
    batch_clips = 1000

    def annotate(self, clips: Sequence[Clip]) -> list[Nothing]:
        """The length of the ids."""
        return [Nothing(len(clip.id)) for clip in clips]


def items_of(count: int) -> Iterator[Item]:
    """Clips as a manifest on S3 would name them."""
    for i in range(count):
        audio = AudioRef(
            f"s3://speech/{i % 1000:03d}/{i:08d}.flac", size_bytes=100_000 + i, version=f"{i:032x}"
        )
        given = Given(text=f"this is what is said in clip number {i}", speaker=f"s{i % 997}", language="en")
        yield Item(f"{i % 1000:03d}/{i:08d}", audio, given, 5.0)


def job_of(size: int) -> Job:
    """One annotator, no sound."""
    return make_job([WaySpec("nothing", "nothing", NothingAnnotator)], shard_size=size)


def step(name: str, url: str, shards: int, size: int, ways: int) -> dict[str, float]:
    """Do one of them; what it took."""
    store, job = Store(url), job_of(size)
    keys = [job.ways[0].key] if not ways else [f"family{n:02d}-way@{n:012x}" for n in range(ways)]
    started, worked = time.perf_counter(), time.process_time()
    if name == "annotate":
        annotate(items_of(shards * size), job, store, InlineEngine(), Watcher())
    elif name == "join":
        store.remove(DATASET)  # the annotate step joined already
        join(store, job, read_index(store))
    else:
        planned = plan_source(store, items_of(shards * size), size)
        planning_s = time.process_time() - worked
        found = present(store, plan_utterances(store, planned, None, size), keys)
        assert name == "plan" or all(bits.all() for bits in found.values())
        print(f"  of which reading and placing the source {planning_s:.1f} s of CPU", file=sys.stderr)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
    if name == "plan" and ways:
        _write_packs(store, keys)
    return figures | {"files": len(store.files())}


def _write_packs(store: Store, keys: Sequence[str]) -> None:
    shards = read_index(store)
    for key in keys:
        for start in range(0, len(shards), PACK_SHARDS):
            block = shards[start : start + PACK_SHARDS]
            store.pack(key, {s.sidecar(key).rpartition("/")[2]: b"nothing" for s in block})


def main() -> None:
    """All steps, one process after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=int)
    parser.add_argument("--clips", type=int, default=500, help="of each shard")
    parser.add_argument("--ways", type=int, default=0, help="folders of sidecars to write without annotating")
    parser.add_argument("--s3", action="store_true", help="on an S3 server on loopback, not on this disk")
    parser.add_argument("--without", default="", help="steps to leave out")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(step(asked.step, asked.url, asked.shards, asked.clips, asked.ways)))
        return
    where = "S3 on loopback" if asked.s3 else "a local disk"
    print(f"{asked.shards:,} shards of {asked.clips} clips, {where}; {processor()}, commit {commit()}")
    print("| step | seconds | CPU s | peak MiB | files after it |\n|---|---:|---:|---:|---:|", flush=True)
    with ExitStack() as stack:
        if asked.s3:
            from tests.s3.server import serving

            url = f"{stack.enter_context(serving()).bucket()}/run"
        else:
            url = f"{stack.enter_context(tempfile.TemporaryDirectory())}/run"
        for name in STEPS:
            if name not in asked.without.split(","):
                print(_told(name, [*sys.argv[1:], "--step", name, "--url", url]), flush=True)


def _told(name: str, arguments: Sequence[str]) -> str:
    command = [sys.executable, "-m", "benchmarks.scale", *arguments]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    figures = f"{told['seconds']:.1f} | {told['cpu_s']:.1f} | {told['peak_mib']:.0f} | {told['files']:.0f}"
    return f"| {name} | {figures} |"


if __name__ == "__main__":
    main()
