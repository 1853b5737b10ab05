"""`speechcraft evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from jobs.evaluate import Case, Report, evaluate
from jobs.evaluate.agreement import Values, agreement
from jobs.evaluate.manifest import read_labels
from jobs.evaluate.plot import draw
from jobs.evaluate.render import markdown
from jobs.evaluate.report import Some
from jobs.evaluate.terminal import terminal
from jobs.runs import Run
from pipeline.clip import Given, Samples
from pipeline.errors import UsageError
from pipeline.review.amend import places
from pipeline.review.corrections import ATTRIBUTES
from pipeline.review.judgements import OfClip, read, standing
from pipeline.rows import Row
from pipeline.sounds import Pcm
from pipeline.source.base import Item, shown


def run(
    directory: str, labels: Path | None, *, as_json: bool, as_markdown: bool, plot: Path | None = None
) -> None:
    """Compare a run with human labels, and with those who reviewed it."""
    told = None if labels is None else read_labels(labels)
    opened = Run.open(directory)
    agreed = agreement(*reviewed(opened))
    if labels is None or told is None:
        if not agreed:
            raise UsageError(f"Nobody has reviewed {directory} yet: give --labels, or review it first.")
        report = Report(sum(s.clips for s in opened.shards), Some(0, ()), Some(0, ()), (), agreed)
    else:
        matched: set[str] = set()
        known = told.lines
        cases = _cases(opened, known, labels.parent, matched)
        report = replace(
            evaluate(cases, (i for i in known if i not in matched), told.broken), agreement=agreed
        )
        if matched.isdisjoint(known):
            raise UsageError(
                f"No clip of {shown(directory)} has labels in {shown(str(labels))}: the ids differ."
            )
    if plot is not None:
        draw(report, plot)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    elif as_markdown:
        sys.stdout.write(markdown(report))
    else:
        Console().print(terminal(report))


def reviewed(opened: Run) -> tuple[Mapping[str, OfClip], Values]:
    """What people said of the run, and what it had found itself, before any correction."""
    said = standing(read(opened.store))
    values: dict[str, dict[str, str | None]] = {}
    for shard, numbers in places(opened.store, opened.shards, said).items():
        wanted = {ATTRIBUTES[name].row for clip in numbers for name in said[clip]}
        rows = [(way.row, opened.found(shard, way)) for way in opened.ways if way.row in wanted]
        for clip, i in numbers.items():
            found = _found(rows, i)
            judged = [ATTRIBUTES[name] for name in said[clip] if ATTRIBUTES[name].row in dict(rows)]
            values[clip] = {a.name: a.value(found.get(a.row)) for a in judged}
    return said, values


def _cases(
    opened: Run, labels: Mapping[str, Mapping[str, object]], folder: Path, matched: set[str]
) -> Iterator[Case]:
    """Every clip with its labels and rows; one shard is held at a time."""
    for shard, items in opened.items():
        rows = [(way.row, opened.found(shard, way)) for way in opened.ways]
        raw, speech = opened.sound(shard)
        for i, item in enumerate(items):
            matched.add(item.id)
            yield Case(
                id=item.id,
                labels=labels.get(item.id, {}),
                labels_dir=folder,
                given_used=_given_used(opened, item),
                rows=_found(rows, i),
                raw=_samples(raw[i]),
                speech=_samples(speech[i]),
            )


def _found(rows: Sequence[tuple[type[Row], Sequence[object]]], i: int) -> dict[type[Row], Row]:
    """The clip's rows; of several ways the first that has one."""
    found: dict[type[Row], Row] = {}
    for kind, values in rows:
        value = values[i]
        if isinstance(value, Row):
            found.setdefault(kind, value)
    return found


def _given_used(opened: Run, item: Item) -> frozenset[str]:
    names = {name for name in Given.__slots__ if getattr(item.given, name) is not None}
    if opened.record["ignore_given"]:
        names &= set(opened.record["keep_given"])
    return frozenset(names)


def _samples(sound: Pcm | None) -> Callable[[], Samples] | None:
    return None if sound is None else sound.samples
