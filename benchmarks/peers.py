"""The same function over the same clips by this project and its peers: time, kill -9, unreadable files.

    python benchmarks/peers.py --envs FOLDER --make-envs

Every contestant calls `benchmarks/_peers/function.py` (F0 by pyworld's dio and stonemask, RMS, words a
second) once a clip, in two processes, each in an environment of its own; every call is a line of a log
that only grows. Each is used as its documentation shows, with its own means against crashes and errors
where it has some: the files beside that function, a page each, are all there is.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # run as a file: `import pipeline` would find this very file
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks._machine import commit, processor
from benchmarks._peers import environments
from benchmarks._peers.contest import KILLED, LATE, Attempt, Contestant, Found, Run
from benchmarks._peers.corpus import PARTS, Corpus, make_corpus, make_sounds

POOL = Contestant(
    "process pool", "process_pool", options="`ProcessPoolExecutor`, one Parquet file at the end"
)
CONTESTANTS = (
    POOL,
    Contestant("speechcraft", "", options=f"`annotate`, {PARTS} shards"),
    Contestant("Daft", "daft", "daft", "daft", '`on_error="log"`'),
    Contestant(
        "Daft on Ray", "daft", "daft", "daft", '`CheckpointConfig`, `on_error="log"`', ("checkpoint",)
    ),
    Contestant("datatrove", "datatrove", "datatrove", "datatrove", f"{PARTS} tasks, `skip_completed`"),
    Contestant(
        "Ray Data", "ray_data", "ray", "ray", f"{PARTS} blocks, `CheckpointConfig`, `max_errored_blocks=-1`"
    ),
    Contestant(
        "data-juicer", "data_juicer", "data-juicer", "py-data-juicer", "default executor, `skip_op_error`"
    ),
)
BAD_SHARE = 0.01


@dataclass(frozen=True)
class Field:
    """Where and over what they run."""

    envs: Path
    folder: Path
    good: Corpus
    bad: Corpus
    workers: int
    limit_s: float

    def attempt(self, who: Contestant, corpus: Corpus, name: str) -> Attempt:
        """One in a new folder."""
        python = environments.python_of(self.envs, who.env) if who.env else Path(sys.executable)
        return Attempt(
            who, python, corpus, self.folder / f"{who.name}-{name}".replace(" ", "-"), self.workers
        )


def main() -> None:
    """Run everything, and print the tables."""
    asked = _arguments()
    chosen = [who for who in CONTESTANTS if not asked.only or who.name in asked.only.split(",")]
    if asked.make_envs:
        for name in dict.fromkeys(who.env for who in chosen if who.env):
            environments.make(asked.envs, name)
    with tempfile.TemporaryDirectory() as folder:
        sounds = Path(folder) / "sounds"
        seconds = make_sounds(sounds, asked.clips, asked.seconds)
        field = Field(
            asked.envs.absolute(),
            Path(folder) / "runs",
            make_corpus(Path(folder) / "good", sounds, asked.clips),
            make_corpus(Path(folder) / "bad", sounds, asked.clips, round(BAD_SHARE * asked.clips)),
            asked.workers,
            asked.limit,
        )
        print(
            f"{asked.clips} clips, {seconds / 3600:.2f} h; {asked.workers} processes; "
            f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}, commit {commit()}\n",
            flush=True,
        )
        for table in asked.tables.split(","):
            TABLES[table](field, chosen)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--envs", type=Path, required=True, help="folder of the peers' environments")
    parser.add_argument("--make-envs", action="store_true", help="install those that are not there")
    parser.add_argument("--only", help="contestants by name, with commas between")
    parser.add_argument("--tables", default="timed,killed,corrupt", help="which, with commas between")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=7.0, help="of a clip, on average")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=float, default=240.0, help="seconds, after which a run is ended")
    return parser.parse_args()


def _timed(field: Field, chosen: list[Contestant]) -> None:
    """Undisturbed. The pool goes first and last, and counts as the mean of both."""
    print("| undisturbed | version, options | seconds | to the pool | until the first call, s | calls, s |")
    print("|---|---|---|---|---|---|", flush=True)
    walls: dict[Contestant, list[float]] = {}
    lines: dict[Contestant, str] = {}
    for number, who in enumerate([*chosen, POOL]):
        if (trouble := _trouble(field, who)) is not None:
            lines[who] = f"| {who.name} | | {trouble} | | | |"
            continue
        attempt = field.attempt(who, field.good, f"timed-{number}")
        run, found = attempt.run(limit_s=field.limit_s), attempt.found()
        if _incomplete(run, found, field.good):
            lines[who] = (
                f"| {who.name} | {_version(field, who)} | {_incomplete(run, found, field.good)} | | | |"
            )
            continue
        walls.setdefault(who, []).append(run.wall_s)
        calls_s = run.last_call_s - run.first_call_s
        lines[who] = f"| {who.name} | {_version(field, who)} | {run.wall_s:.1f} | RATIO | "
        lines[who] += f"{run.first_call_s:.1f} | {calls_s:.1f} |"
        print(f"{who.name}: {run.wall_s:.1f} s", file=sys.stderr, flush=True)
    reference = sum(walls.get(POOL, [float("nan")])) / len(walls.get(POOL, [0]))
    for who, line in lines.items():
        if who in walls:
            line = line.replace("RATIO", f"{reference / walls[who][-1]:.2f}")
        print(line)
    print(f"\nThe pool's two runs, first and last: {', '.join(f'{w:.1f}' for w in walls.get(POOL, []))} s.\n")


def _killed(field: Field, chosen: list[Contestant]) -> None:
    """SIGKILL to all processes after half of the calls, and the same command again."""
    print(
        "| kill -9 at half, then again | exit code | rows lost | rows twice | calls made again | "
        "unreadable files left |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    for who in _usable(field, chosen):
        attempt = field.attempt(who, field.good, "killed")
        first = attempt.run(limit_s=field.limit_s, kill_after=len(field.good.ids) // 2)
        before = sum(attempt.found().calls.values())
        if first.code != KILLED:
            print(f"| {who.name} | {_ending(first)} before it was killed | | | | |", flush=True)
            continue
        second = attempt.run(limit_s=field.limit_s)
        found = attempt.found()
        again = sum(found.calls.values()) - len(found.calls)
        print(
            f"| {who.name} | {_ending(second)} | {_lost(found, field.good.ids)} | {_twice(found)} | "
            f"{again} of {before} | {found.unreadable} |",
            flush=True,
        )


def _corrupt(field: Field, chosen: list[Contestant]) -> None:
    """Files that are no sound."""
    bad = set(field.bad.bad)
    good = [clip for clip in field.bad.ids if clip not in bad]
    print(
        f"\n| {len(bad)} of {len(field.bad.ids)} files are no sound | exit code | good rows lost | "
        "bad rows lost | which were bad |"
    )
    print("|---|---|---|---|---|", flush=True)
    for who in _usable(field, chosen):
        attempt = field.attempt(who, field.bad, "corrupt")
        run, found = attempt.run(limit_s=field.limit_s), attempt.found()
        print(
            f"| {who.name} | {_ending(run)} | {_lost(found, good)} | {_lost(found, field.bad.bad)} | "
            f"{_named(run, found, field.bad.bad)} |",
            flush=True,
        )


TABLES = {"timed": _timed, "killed": _killed, "corrupt": _corrupt}


def _trouble(field: Field, who: Contestant) -> str | None:
    return environments.trouble(field.envs, who.env) if who.env else None


def _usable(field: Field, chosen: list[Contestant]) -> Iterator[Contestant]:
    return (who for who in chosen if _trouble(field, who) is None)


def _version(field: Field, who: Contestant) -> str:
    number = environments.version(field.envs, who.env, who.package) if who.env else ""
    return ", ".join(part for part in (number, who.options) if part)


def _incomplete(run: Run, found: Found, corpus: Corpus) -> str:
    """Why an undisturbed run is no result; nothing if it is one."""
    if run.code or _lost(found, corpus.ids):
        last = next((line for line in reversed(run.said.splitlines()) if line.strip()), "")
        return f"{_ending(run)}, {_lost(found, corpus.ids)} rows lost: {last:.80}".replace("|", "/")
    return ""


def _ending(run: Run) -> str:
    return "did not end" if run.code == LATE else str(run.code)


def _lost(found: Found, ids: Sequence[str]) -> int:
    return sum(found.rows[clip] == 0 for clip in ids)


def _twice(found: Found) -> int:
    return sum(count - 1 for count in found.rows.values() if count > 1)


def _named(run: Run, found: Found, bad: Sequence[str]) -> str:
    """Where one learns which files were bad."""
    rows = sum(clip in found.told for clip in bad)
    if rows:
        return f"{rows} in their rows, with the reason"
    said = sum(clip in run.said for clip in bad)
    if said:
        return f"{said} in the log"
    kept = len(bad) - _lost(found, bad)
    return f"{kept} by the nulls in their rows" if kept else "not said"


if __name__ == "__main__":
    main()
