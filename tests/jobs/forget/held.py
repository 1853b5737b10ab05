"""What tests of forgetting share."""

from __future__ import annotations

from pathlib import Path

from pipeline import sounds
from pipeline.storage import Store
from tests.command import Ended, speechcraft

NAMES = ("forecast", "station", "zh-neighbour", "forecast-noise", "seven", "telephone", "match")


def annotate(folder: Path) -> Ended:
    ended = speechcraft(
        "annotate", folder / "clips.jsonl", "--out", folder / "run", "--engine", "inline", "--shard-size", 2,
        "--json", *(x for f in ("enhance", "emphasis") for x in ("--set", f"{f}=off")),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return ended


def stamps(run: Path) -> dict[str, int]:
    """Every sidecar and sound with the time it was written."""
    files = [*run.glob("*@*/*.parquet"), *run.glob("*@*/*.arrow")]
    return {str(p.relative_to(run)): p.stat().st_mtime_ns for p in files}


def holds(run: Path, text: str) -> list[str]:
    """The files with this text in them, columns of tables included."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    for path in (p for p in run.rglob("*") if p.is_file()):
        held = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            held = repr(pq.ParquetFile(path).read().to_pydict()) + held
        if path.suffix == ".arrow":
            held = repr(pa.ipc.open_file(path.read_bytes()).read_all().column("id").to_pylist())
        if text in held:
            found.append(str(path.relative_to(run)))
    return found


def sounds_of(run: Path) -> int:
    store = Store(str(run))
    return sum(len(sounds.read(store, n)) for n in store.names() if n.endswith(".arrow"))
