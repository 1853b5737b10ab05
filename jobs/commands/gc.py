"""`speechcraft gc`."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

from jobs.gc import Garbage, find, remove
from jobs.output import emit
from jobs.runs import Run
from pipeline.counting import counted
from pipeline.errors import UsageError
from pipeline.lease import held


def run(
    directory: str, *, dry_run: bool, take_over: bool, as_json: bool, agree: Callable[[str], bool]
) -> None:
    """Remove what is of no use, once `agree` says so; with `dry_run` only say what that is."""
    opened = Run.open(directory)
    if dry_run:
        _tell(find(opened), as_json=as_json, removed=False)
        return
    with held(opened.store, take_over=take_over):
        garbage = find(opened)
        if garbage.count:
            if not agree(
                f"Remove {counted(garbage.count, 'file')}, {_size(garbage.bytes)}, of {opened.store.url}?"
            ):
                raise UsageError("Nothing was removed.")
            remove(opened.store, garbage)
    _tell(garbage, as_json=as_json, removed=True)


def _tell(garbage: Garbage, *, as_json: bool, removed: bool) -> None:
    if as_json:
        kinds = {why: {"files": len(f), "bytes": sum(f.values())} for why, f in garbage.files.items()}
        emit({"removed": removed, "files": garbage.count, "bytes": garbage.bytes, "kinds": kinds})
        return
    console = Console(highlight=False, soft_wrap=True)
    for why, files in garbage.files.items():
        count, size = counted(len(files), "file"), _size(sum(files.values()))
        console.print(f"{count:>15}  {size:>10}  {why}")
    if not garbage.count:
        console.print("There is nothing to remove.")
    elif removed:
        console.print(f"Removed: {counted(garbage.count, 'file')}, {_size(garbage.bytes)}.")
    else:
        console.print(
            f"Would remove {counted(garbage.count, 'file')}, {_size(garbage.bytes)}. Nothing was removed."
        )


def _size(count: int) -> str:
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return counted(count, "byte")
