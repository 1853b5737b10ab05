"""Ray Data: a block for each part of the manifest, CheckpointConfig, `max_errored_blocks=-1`."""

from __future__ import annotations

import os
import sys
from typing import Any

import ray
from ray.data import DataContext
from ray.data.checkpoint import CheckpointConfig

from benchmarks._peers.function import annotate


def main() -> None:
    """Annotate."""
    _, parts, out, workers = sys.argv[1:5]
    ray.init(address="local", num_cpus=int(workers), include_dashboard=False)
    context = DataContext.get_current()
    context.checkpoint_config = CheckpointConfig("id", f"{os.path.abspath(out)}-checkpoint")  # noqa: PTH100
    context.max_errored_blocks = -1
    blocks = len(os.listdir(parts))  # noqa: PTH208
    ray.data.read_json(parts, override_num_blocks=blocks).map(_row).write_parquet(out)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | annotate(row["id"], row["audio"], row["text"])


if __name__ == "__main__":
    main()
