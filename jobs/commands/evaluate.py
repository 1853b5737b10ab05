"""`speechcraft evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from jobs.evaluate import Case, evaluate
from jobs.evaluate.manifest import read_labels
from jobs.evaluate.plot import draw
from jobs.evaluate.render import markdown, terminal
from jobs.runs import Run
from pipeline.clip import Given, Samples
from pipeline.rows import Row
from pipeline.sounds import Pcm
from pipeline.source.base import Item


def run(directory: str, labels: Path, *, as_json: bool, as_markdown: bool, plot: Path | None = None) -> None:
    """Compare a run with human labels."""
    known = read_labels(labels)
    opened = Run.open(directory)
    matched: set[str] = set()
    report = evaluate(_cases(opened, known, labels.parent, matched), (i for i in known if i not in matched))
    if plot is not None:
        draw(report, plot)
    if as_json:
        sys.stdout.write(report.to_json() + "\n")
    elif as_markdown:
        sys.stdout.write(markdown(report))
    else:
        Console().print(terminal(report))


def _cases(
    opened: Run, labels: Mapping[str, Mapping[str, object]], folder: Path, matched: set[str]
) -> Iterator[Case]:
    """Every clip with its labels and rows; one shard is held at a time."""
    for shard, items in opened.items():
        rows = [(way.row, opened.rows(shard, way)) for way in opened.ways]
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
