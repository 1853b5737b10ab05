"""Which rows of a run are computed again, and with them all that was made from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jobs.calls import read_calls
from jobs.failed import GIVEN_UP, FailedRow, failed_rows
from jobs.runs import Run, WayName
from pipeline import again, parquet
from pipeline.counting import counted
from pipeline.errors import OptionError, RunError, unknown
from pipeline.job import Job
from pipeline.join import is_joined, outdate
from pipeline.manifest import read_ids
from pipeline.review import amend
from pipeline.rundir import Shard

Rows = dict[int, dict[str, set[str]]]
"""Clip ids by shard and by the way's key."""


@dataclass(frozen=True, slots=True)
class Selected:
    """Rows that are meant, and what those of each shard failed for."""

    rows: Rows = field(default_factory=dict)
    codes: dict[int, set[str]] = field(default_factory=dict)

    def add(self, shard: int, key: str, clip: str, code: str | None) -> None:
        """One more row."""
        self.rows.setdefault(shard, {}).setdefault(key, set()).add(clip)
        self.codes.setdefault(shard, set()).update([code] if code else [])


@dataclass(frozen=True, slots=True)
class Selection:
    """Failed rows that meet every condition; with `all_`, those that went well too."""

    annotator: str | None = None
    shard: int | None = None
    clip: str | None = None
    code: str | None = None
    all_: bool = False

    def check(self, run: Run) -> None:
        """Raises OptionError or RunError for what the run does not have."""
        names = {w.family for w in run.way_names} | {w.shown for w in run.way_names}
        if self.annotator is not None and self.annotator not in names:
            raise unknown("annotator in this run", self.annotator, names)
        if self.shard is not None and self.shard not in {shard.index for shard in run.shards}:
            raise RunError(f"There is no shard {self.shard} in {run.store.url}.")
        if self.clip is not None:
            run.find(self.clip)
        if self.all_ and self.code is not None:
            raise OptionError("Give --all or --code, not both: what went well has no code.")
        if self.all_ and not (self.annotator or self.clip or self.shard is not None):
            raise OptionError("With --all say what: --annotator, --shard or --clip.")

    def takes(self, row: FailedRow) -> bool:
        """Whether shard and clip are meant."""
        return self.shard in (None, row.shard) and self.clip in (None, row.clip)

    def names(self, way: WayName) -> bool:
        """Whether the annotator is meant."""
        return self.annotator in (None, way.family, way.shown)


def select(run: Run, selection: Selection, say: Callable[[str], None]) -> Selected:
    """The rows that are meant, without those made from them.

    What failed for what the source says of it is left out, and that is said: the source is not read again.
    OptionError for a cause that no row failed for, unless a retry that was ended has been at such rows.
    """
    selection.check(run)
    found = Selected()
    if selection.all_:
        for shard, key, clip in _all(run, selection):
            found.add(shard, key, clip, None)
        return found
    hopeless: Counter[str] = Counter()
    seen: set[str] = set()
    for row, key in _failed(run, selection):
        seen.add(row.code)
        if selection.code not in (None, row.code):
            continue
        if row.of_source:
            hopeless[row.code] += 1
        else:
            found.add(row.shard, key, row.clip, row.code)
    _check_code(run, selection.code, seen)
    if hopeless:
        causes = ", ".join(f"{code} ({count:,})" for code, count in hopeless.most_common())
        say(
            f"Left as they are, for what the source says of them: {causes}. Put the source right, and run "
            "the same annotate command: retry does not read it."
        )
    return found


def _failed(run: Run, selection: Selection) -> Iterator[tuple[FailedRow, str]]:
    """Failed rows that are meant, whatever for, each with the key of its way."""
    for row in filter(selection.takes, failed_rows(run)):
        for way in filter(selection.names, run.way_names):
            if way.family == row.family and row.way in ("", way.name):
                yield row, way.key


def _check_code(run: Run, code: str | None, seen: set[str]) -> None:
    """OptionError for a code that no failed row has, unless a retry may have been at the last of them."""
    if code is None or code in seen:
        return
    known = seen | again.codes(run.store) | ({GIVEN_UP} if run.given_up else set())
    retried = any(call.facts["command"] == "retry" for call in read_calls(run.store))
    if code not in known and (run.marked or not retried or is_joined(run.store)):
        raise unknown("cause of failed rows", code, known)


def _all(run: Run, selection: Selection) -> Iterator[tuple[int, str, str]]:
    for shard in run.shards:
        if selection.shard in (None, shard.index):
            for way in filter(selection.names, run.way_names):
                if path := again.standing(run.names, shard, way.key):
                    for clip in parquet.read(run.store, path, ["id"]).column("id").to_pylist():
                        if selection.clip in (None, clip):
                            yield shard.index, way.key, str(clip)


def missing(run: Run) -> str:
    """What the run lacks, in words: the next call computes it, whatever it is asked for. Empty if nothing."""
    ways, marked, unmade = run.way_names, 0, set[int]()
    for shard in run.shards:
        for way in ways:
            path = again.standing(run.names, shard, way.key)
            if path is None and shard.failure not in run.names:
                unmade.add(shard.index)
            elif path == shard.again(way.key):
                marked += shard.clips - parquet.read(run.store, path, ["id"]).num_rows
    lost = len(run.given_up)
    codes = ", ".join(sorted(again.codes(run.store))) if marked else ""
    told = [
        f"{counted(marked, 'row')} that an earlier retry marked" + (f" ({codes})" if codes else ""),
        f"{counted(lost, 'shard')} that {'was' if lost == 1 else 'were'} given up",
        f"{counted(len(unmade), 'shard')} that no call has finished",
    ]
    found = [text for text, n in zip(told, (marked, lost, len(unmade)), strict=True) if n]
    return ", ".join(found[:-1]) + " and " * (len(found) > 1) + "".join(found[-1:])


def mark(run: Run, job: Job, selected: Selected) -> int:
    """Have the next run compute these rows again, and all that was made from them; how many they are.

    What was made from others goes first: a kill leaves the cause where the same command finds it again.
    """
    rows = selected.rows
    if not rows:
        return 0
    outdate(run.store)
    again_ = {s: _with_dependents(job, rows[s.index]) for s in run.shards if s.index in rows}
    count = sum(_write_marks(run, s, clips, selected.codes[s.index]) for s, clips in again_.items())
    _remove_corrected(run, job, again_.values())
    for way in reversed(job.ways):
        gone = [shard.sidecar(way.key) for shard, clips in again_.items() if way.key in clips]
        run.store.remove_files(path for path in gone if path in run.names)
    return count


def _remove_corrected(run: Run, job: Job, again_: Iterable[Mapping[str, set[str]]]) -> None:
    """What stands of these rows beside, in shards of corrected clips: it is copied or computed anew."""
    redo: dict[str, set[str]] = {}
    for rows in again_:
        for key, clips in rows.items():
            redo.setdefault(key, set()).update(clips)
    held = {shard: set(read_ids(run.store, shard)) for shard in amend.read_shards(run.store)}
    for way in reversed(job.ways):
        hit = [shard for shard, ids in held.items() if not ids.isdisjoint(redo.get(way.key, ()))]
        gone = [path for shard in hit for path in (shard.sidecar(way.key), shard.sound(way.key))]
        run.store.remove_files(path for path in gone if path in run.names)


def _with_dependents(job: Job, rows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The clips by way, in dependency order, with every way that reads what is computed again."""
    changed: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {}
    for way in job.ways:
        clips = set(rows.get(way.key, ())).union(*(changed.get(f, ()) for f in (*way.needs, *way.wants)))
        changed.setdefault(way.family, set()).update(clips)
        found[way.key] = clips
    return {key: clips for key, clips in found.items() if clips}


def _write_marks(run: Run, shard: Shard, clips: Mapping[str, set[str]], codes: Collection[str]) -> int:
    """What stands of each sidecar, beside it; how many rows do not."""
    return sum(
        again.mark(run.store, shard, path, key, redo, codes)
        for key, redo in clips.items()
        if (path := again.standing(run.names, shard, key))
    )
