"""The proof that a cluster works: annotate the example clips through it into S3, and count the rows.

`smoke.py CLIPS s3://BUCKET/RUN`, with RAY_ADDRESS and AWS_* in the environment. Makes the bucket.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import fsspec
import pyarrow.parquet as pq

NODES = 3
"""The head and two workers."""


def main(clips: str, out: str) -> int:
    """0 where every clip of the manifest is a row that did not fail; else 1 and what is missing."""
    fs, root = fsspec.core.url_to_fs(out)
    fs.makedirs(root.split("/")[0], exist_ok=True)
    subprocess.run([sys.executable, "-m", "jobs.clusters.wait", str(NODES)], check=True)
    command = [
        "-m",
        "jobs.cli",
        "annotate",
        clips,
        "--out",
        out,
        "--shard-size",
        "5",
        "--ray-address",
        "auto",
    ]
    subprocess.run([sys.executable, *command], check=True)
    manifest = (Path(clips) / "manifest.jsonl").read_text("utf-8").splitlines()
    wanted = {json.loads(line)["id"] for line in manifest}
    files = json.loads(fs.cat_file(f"{root}/dataset/index.json"))["files"]
    rows = [row for file in files for row in _rows(fs, f"{root}/dataset/{file['name']}")]
    missing = wanted - {row["id"] for row in rows if row["status"] == "ok"}
    print(f"{len(rows)} rows of {len(wanted)} clips in {out}")
    if missing or len(rows) != len(wanted):
        print(f"missing or failed: {', '.join(sorted(missing)) or 'none, but there are too many rows'}")
        return 1
    return 0


def _rows(fs: fsspec.AbstractFileSystem, file: str) -> list[dict[str, str]]:
    with fs.open(file, "rb") as opened:
        rows: list[dict[str, str]] = pq.read_table(opened, columns=["id", "status"]).to_pylist()
        return rows


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
