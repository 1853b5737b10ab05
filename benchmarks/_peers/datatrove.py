"""datatrove: a task for each part of the manifest, `skip_completed` as by default."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import ParquetWriter

from benchmarks._peers.function import annotate


class Annotate(PipelineStep):
    """Adds the measures to each document's metadata."""

    name = "annotate"
    type = "annotate"

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Any:
        """One document in, one out."""
        for document in data:
            document.metadata |= annotate(document.id, document.metadata["audio"], document.text)
            yield document


def main() -> None:
    """Annotate."""
    _, parts, out, workers = sys.argv[1:5]
    steps = [JsonlReader(parts), Annotate(), ParquetWriter(out)]
    tasks = len(list(Path(parts).iterdir()))
    LocalPipelineExecutor(steps, tasks=tasks, workers=int(workers), logging_dir=f"{out}-logs").run()


if __name__ == "__main__":
    main()
