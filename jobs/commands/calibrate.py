"""`speechcraft calibrate`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.output import emit, shown
from jobs.recorded import job_of
from jobs.runs import Run
from pipeline.engine.flow import calibrate, measured_families
from pipeline.errors import RunError
from pipeline.job import Job
from pipeline.lease import held

_COLUMNS = {"low": "low below", "high": "high above", "n": "clips", "origin": "from"}
"""Of a group's thresholds, where it has these: what a table calls them."""


def run(directory: str, *, take_over: bool, as_json: bool) -> None:
    """Take thresholds from every clip measured so far and freeze them in the run, which nobody else is at."""
    opened = Run.open(directory)
    job = job_of(opened)
    ways = job.uncalibrated()
    if not ways:
        raise RunError(f"No annotator of {directory} takes its thresholds from the corpus.")
    with held(opened.store, take_over=take_over):
        if not _is_measured(opened, {family for way in ways for family in measured_families(way)}):
            raise RunError(f"Nothing in {directory} is measured yet: annotate it first.")
        found = {way.family: calibrate(way, job, opened.store, opened.shards) for way in ways}
    if as_json:
        emit(found)
    else:
        _print(job, found, {way.family: _before(opened, way.family) for way in ways})


def _is_measured(run: Run, families: Collection[str]) -> bool:
    """Whether there is a sidecar of any of these families."""
    keys = [way.key for way in run.ways if way.family in families]
    return any(shard.sidecar(key) in run.names for shard in run.shards for key in keys)


def _before(run: Run, family: str) -> Mapping[str, Any] | None:
    """The thresholds that the rows of the run were made by; none where there are no such rows yet."""
    found: Mapping[str, Any] | None = run.record["annotators"][family][0]["options"].get("thresholds")
    return found


def _print(
    job: Job, found: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, Any] | None]
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for family, thresholds in found.items():
        console.print(_table(family, thresholds, before[family] or {}))
    changed = [family for family, thresholds in found.items() if thresholds != before[family]]
    if not changed:
        console.print("The run has these thresholds already: there is nothing to annotate again.")
        return
    anew = sorted({*changed, *(way.family for way in job.ways if _reads(job, way.family, changed))})
    console.print(
        f"The next annotate command of this run goes by them: it writes {', '.join(anew)} anew "
        "(--dry-run says for how many clips). Until then the rows stay as they are."
    )


def _reads(job: Job, family: str, others: Collection[str]) -> bool:
    """Whether a family reads one of the others, directly or not."""
    return family not in others and not job.upstream([family]).isdisjoint(others)


def _table(family: str, thresholds: Mapping[str, Any], before: Mapping[str, Any]) -> Table:
    """A line for each group of each measure, with what it was before where that was something else."""
    names = [name for name in _COLUMNS if any(name in t for _, _, t in _groups(thresholds))]
    table = Table(family, "among", box=None, header_style="bold")
    for name in names:
        table.add_column(_COLUMNS[name], justify="left" if name == "origin" else "right")
    table.add_column("before", style="dim")
    for measure, group, line in _groups(thresholds):
        was = before.get(measure, {}).get(group, {})
        bounds = (was.get("low"), was.get("high"))
        changed = None not in bounds and bounds != (line.get("low"), line.get("high"))
        told = f"{_number(bounds[0])} to {_number(bounds[1])}" if changed else ""
        table.add_row(shown(measure), shown(group), *(_number(line.get(name)) for name in names), told)
    return table


def _groups(thresholds: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for measure, groups in thresholds.items():
        if isinstance(groups, Mapping):
            for group, line in groups.items():
                if isinstance(line, Mapping):
                    yield measure, str(group), line


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else shown("-" if value is None else value)
