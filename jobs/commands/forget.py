"""`speechcraft forget`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console

from jobs.export.conditions import renamed
from jobs.export.export import export
from jobs.export.recorded import FOLDER, Recorded, recorded, remove_old
from jobs.export.request import Request
from jobs.forget import Found, find, forget, is_unjoined, speaker_digest, was_forgotten
from jobs.output import emit, notice, shown
from jobs.runs import Run
from pipeline import forgotten
from pipeline.counting import counted
from pipeline.errors import RunError, UsageError
from pipeline.lease import held
from pipeline.review.judgements import REVIEWS
from pipeline.rundir import REPORT

A_FEW = 10
"""Clips that are named before it is asked whether to forget them."""
_SHOWN = 8  # characters of a digest


@dataclass(slots=True)
class _Exports:
    """Of a run: those made from it, and those made from the run that it is a copy of."""

    own: list[Recorded] = field(default_factory=list)
    others: list[Recorded] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run) -> _Exports:
        found = list(recorded(run.store))
        own = [one for one in found if one.is_of(run.store)]
        return cls(own, [one for one in found if one not in own])

    def paths(self) -> list[str]:
        return sorted({one.path for one in self.own})


def run(
    directory: str,
    *,
    speaker: str | None,
    clip: str | None,
    rebuild: bool,
    take_over: bool,
    as_json: bool,
    agree: Callable[[str], bool],
) -> None:
    """Forget clips, once `agree` says so; name the exports that may hold them, or make those anew."""
    if (speaker is None) == (clip is None):
        raise UsageError("Give --speaker or --clip, one of them.")
    opened = Run.open(directory)
    with held(opened.store, take_over=take_over):
        found = _found(opened, speaker, clip, rebuild=rebuild)
        exports = _Exports.of(opened)
        report = any(name.startswith(f"{REPORT}/") for name in opened.names)
        _announce(opened, found, exports, rebuild=rebuild)
        if not agree(f"Forget {_these(found)} of {directory} for good?"):
            raise UsageError("Nothing was forgotten.")
        if found.ids or is_unjoined(opened):
            forget(opened, found)
        for path in exports.paths():
            remove_old(opened.store, path)  # of a call that was ended before it came to that
        names = found.ids | {name for name in (clip, speaker) if name}
        _unnamed(opened, names, but=exports.own if rebuild else ())
    lost = [one.path for one in exports.own if rebuild and not _rebuilt(opened, directory, one)]
    if as_json:
        emit(
            {
                "forgotten": sorted(found.ids),
                "exports": exports.paths(),
                "rebuilt": rebuild,
                "not_rebuilt": lost,
                "exports_of_others": sorted({one.path for one in exports.others}),
                "report_removed": report,
            }
        )
    else:
        _print(found, exports, lost, rebuild=rebuild)


def _found(run: Run, speaker: str | None, clip: str | None, *, rebuild: bool) -> Found:
    """What is to be forgotten: nothing where that was done, and what comes after it is still to do."""
    try:
        return find(run, speaker=speaker, clip=clip)
    except RunError:
        if (rebuild or is_unjoined(run)) and was_forgotten(run, speaker=speaker, clip=clip):
            return Found()
        raise


def _announce(run: Run, found: Found, exports: _Exports, *, rebuild: bool) -> None:
    """Say what would be removed and written anew, before anything is."""
    names = sorted(found.ids)
    more = f" and {len(names) - A_FEW:,} more" if len(names) > A_FEW else ""
    if names:
        notice(f"To be forgotten: {', '.join(map(shown, names[:A_FEW]))}{more}.")
        reviewed = ", reviews" if run.store.names(REVIEWS) else ""
        notice(
            f"Written anew without them: every manifest, sidecar and sound that holds one{reviewed}, and the "
            "dataset, which loses its earlier state."
        )
    if names and any(name.startswith(f"{REPORT}/") for name in run.names):
        notice("Removed: the report, which may hold their sound; `speechcraft report` writes another.")
    for path in exports.paths():
        made = "Made anew" if rebuild else "It may hold them, and stays as it is without --rebuild"
        notice(f"{made}: the export {shown(path)}.")
    for one in exports.others:
        notice(f"Left as it is: the export {shown(one.path)}, made from {shown(one.run)} and not from here.")


def _unnamed(run: Run, names: Collection[str], *, but: Sequence[Recorded]) -> None:
    """No record of an export names what is forgotten, but for those that are made anew."""
    kept = {one.name for one in but}
    for record in run.store.names(FOLDER) - kept:
        if any(name in run.store.read(record).decode() for name in names):
            run.store.remove(record)


def _unnaming(run: Run, request: Request) -> Request:
    """The request, its filter with a digest in the place of each name that is forgotten: it says the same."""
    gone = forgotten.read(run.store)

    def other(column: str, name: str) -> str:
        kinds = {"id": forgotten.digest, "speaker": speaker_digest}
        digest = kinds[column](name) if column in kinds else ""
        return f"forgotten-{digest[:_SHOWN]}" if digest in gone else name

    return replace(request, filter=request.filter and renamed(request.filter, other))


def _rebuilt(run: Run, directory: str, one: Recorded) -> bool:
    """Make an export anew in its place; where nothing is left for it, its folder stays empty.

    Its old record goes last: after a kill the same call makes it anew.
    """
    made = True
    try:
        export(directory, one.path, _unnaming(run, one.request), notice, anew=True)
    except UsageError as error:
        notice(f"{shown(one.path)}: {error}")
        made = False
    remove_old(run.store, one.path)
    return made


def _these(found: Found) -> str:
    return _counted(found) if found.ids else "what was forgotten before"


def _counted(found: Found) -> str:
    return counted(len(found.ids), "clip or recording", "clips or recordings")


def _print(found: Found, exports: _Exports, lost: list[str], *, rebuild: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    is_or_are = "is" if len(found.ids) <= 1 else "are"
    console.print(f"{_these(found).capitalize()} {is_or_are} forgotten.")
    for path in exports.paths():
        made = "is not made anew" if path in lost else "is made anew"
        console.print(f"  {shown(path)} {made if rebuild else 'was exported before and may hold them'}")
    if exports.own or exports.others:
        console.print("What was copied or pushed elsewhere is out of reach.")
