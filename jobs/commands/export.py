"""`speechcraft export`."""

from __future__ import annotations

import signal
from dataclasses import asdict
from types import FrameType

from rich.console import Console

from jobs.export.export import Exported, export
from jobs.export.push import push
from jobs.export.request import Request
from jobs.output import emit, notice, shown
from pipeline.counting import counted
from pipeline.storage import Store


def run(
    directory: str, path: str, request: Request, repo: str | None, *, private: bool, as_json: bool
) -> None:
    """Export a run, send it to the hub where a repository is named, and say what came of it."""
    signal.signal(signal.SIGTERM, _interrupt)
    done = export(directory, path, request, notice)
    pushed = None if repo is None else push(Store(path), repo, notice, private=private)
    if as_json:
        emit(done.facts() | {"pushed": None if pushed is None else asdict(pushed)})
        return
    _print(done)
    if pushed is not None:
        Console(highlight=False, soft_wrap=True).print(
            f"Hub: {shown(pushed.url)}, {pushed.sent} files sent, {pushed.present} were there, "
            f"{pushed.removed} removed."
        )


def names(text: str) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _print(done: Exported) -> None:
    console = Console(highlight=False, soft_wrap=True)
    splits = ", ".join(f"{name} {n:,}" for name, n in done.splits.items())
    clips, parts = counted(done.clips, "clip"), counted(done.parts, "part")
    console.print(f"{clips} ({splits}) in {parts}, {done.bytes / 1e6:.1f} MB.")
    for kind, n in done.dropped.items():
        console.print(f"  {n:,} dropped by {shown(kind)}; dropped.jsonl says which and why")
    for code, n in done.silent.items():
        console.print(f"  {n:,} without sound: {shown(code)} ({shown(done.examples[code])})")
    for note in done.notes:
        console.print(f"  {shown(note)}")
    console.print(f"Dataset: {shown(done.path)}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
