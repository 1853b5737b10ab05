"""`speechcraft forget`."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

from jobs.export.export import export
from jobs.export.recorded import Recorded, recorded
from jobs.forget import find, forget
from jobs.output import emit, notice, shown
from jobs.runs import Run
from pipeline.errors import UsageError
from pipeline.storage import Store


def run(
    directory: str,
    *,
    speaker: str | None,
    clip: str | None,
    rebuild: bool,
    as_json: bool,
    agree: Callable[[str], bool],
) -> None:
    """Forget clips, once `agree` says so; name the exports that may hold them, or make those anew."""
    if (speaker is None) == (clip is None):
        raise UsageError("Give --speaker or --clip, one of them.")
    opened = Run.open(directory)
    found = find(opened, speaker=speaker, clip=clip)
    exports = list(recorded(opened.store))
    if not agree(f"Forget {len(found.ids):,} clips or recordings of {directory} for good?"):
        raise UsageError("Nothing was forgotten.")
    forget(opened, found)
    names = found.ids | ({speaker} if speaker else set())
    for one in exports:
        if rebuild or any(name in one.text for name in names):
            opened.store.remove(one.name)
    lost = [one.path for one in exports if rebuild and not _rebuilt(directory, one)]
    paths = sorted({one.path for one in exports})
    if as_json:
        emit({"forgotten": sorted(found.ids), "exports": paths, "rebuilt": rebuild, "not_rebuilt": lost})
    else:
        _print(len(found.ids), paths, lost, rebuild=rebuild)


def _rebuilt(directory: str, one: Recorded) -> bool:
    """Make an export anew in its place; where nothing is left for it, its folder stays empty."""
    out = Store(one.path)
    for name in out.names():
        out.remove(name)
    try:
        export(directory, one.path, one.request, notice)
    except UsageError as error:
        notice(f"{shown(one.path)}: {error}")
        return False
    return True


def _print(clips: int, paths: list[str], lost: list[str], *, rebuild: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{clips:,} clips or recordings are forgotten.")
    for path in paths:
        made = "is emptied" if path in lost else "is made anew"
        console.print(f"  {shown(path)} {made if rebuild else 'was exported before and may hold them'}")
    if paths:
        console.print("What was copied or pushed elsewhere is out of reach.")
