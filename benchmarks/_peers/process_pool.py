"""The reference: a process pool over the clips, one Parquet file at the end."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks._peers.function import annotate


def main() -> None:
    """Annotate."""
    manifest, _, out, workers = sys.argv[1:5]
    lines = [json.loads(line) for line in Path(manifest).read_text().splitlines()]
    with ProcessPoolExecutor(int(workers)) as pool:
        rows = list(pool.map(_row, lines))
    Path(out).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), f"{out}/clips.parquet")


def _row(line: dict[str, Any]) -> dict[str, Any]:
    return line | annotate(line["id"], line["audio"], line["text"])


if __name__ == "__main__":
    main()
