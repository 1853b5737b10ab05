"""Daft: an actor pool in a plan from JSON lines to Parquet, `on_error="log"`.

With `checkpoint` as the last word, on its Ray runner, the only one that has checkpoints.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import daft
from daft import DataType

from benchmarks._peers.function import COLUMNS, annotate

FOUND = DataType.struct({name: DataType.float64() for name in COLUMNS})


def main() -> None:
    """Annotate."""
    _, parts, out, workers = sys.argv[1:5]

    @daft.cls(use_process=True, max_concurrency=int(workers))
    class Annotator:
        @daft.method(return_dtype=FOUND, on_error="log")
        def found(self, clip_id: str, audio: str, text: str) -> dict[str, float]:
            return annotate(clip_id, audio, text)

    options: dict[str, Any] = {}
    if sys.argv[5:] == ["checkpoint"]:
        import ray

        # with as many as there are workers, nothing is left for who reads and filters, and nothing starts
        ray.init(address="local", num_cpus=int(workers) + 2, include_dashboard=False, log_to_driver=False)
        daft.set_runner_ray(noop_if_initialized=True)
        store = daft.CheckpointStore(f"file://{os.path.abspath(out)}-checkpoint")  # noqa: PTH100
        settings = daft.KeyFilteringSettings(num_workers=1, cpus_per_worker=0.1)
        options["checkpoint"] = daft.CheckpointConfig(store=store, on="id", settings=settings)
    clips = daft.read_json(f"{parts}/*.jsonl", **options)
    if not options:  # a plan with checkpoints must not gather rows between source and sink
        clips = clips.into_batches(len(Path(parts, "000.jsonl").read_text().splitlines()))
    clips = clips.with_column("found", Annotator().found(clips["id"], clips["audio"], clips["text"]))
    clips.write_parquet(out)


if __name__ == "__main__":
    main()
