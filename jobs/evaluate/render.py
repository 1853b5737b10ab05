"""A report for people: on the terminal and as Markdown.

Ids, speakers and reasons come from the data: what they hold is shown, and neither styles the
terminal nor breaks a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from jobs.evaluate.report import Confusion, Report, Result, Some, Split, Table

_DIGITS = {"": 3, "ms": 1, "cents": 1, "years": 1}
_DEFAULT_DIGITS = 2
_HEAD = ("figure", "value", "95 % interval", "n", "clips", "clusters", "by group")
_LEGEND = (
    "n counts what the figure is over: frames, boundaries, words or clips. The interval is a bootstrap that "
    "draws whole clusters: speakers, or clips where fewer than four speakers are known, and then it speaks "
    "of these speakers only. Over fewer than about ten speakers it is too narrow."
)
_AGREEMENT = "Agreement with reviewers"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def terminal(report: Report) -> RenderableType:
    """The report as rich text."""
    parts: list[RenderableType] = [Text(line) for line in _matching(report)]
    for table in filter(_tells, report.tables):
        parts += [Text(""), Text(table.title, style="bold"), Text(_coverage(table), style="dim")]
        parts.append(_grid(_HEAD, [_narrow(_cells(result)) for result in table.results]))
        if table.confusion:
            parts.append(_grid(*_matrix(table.confusion)))
    if any(map(_tells, report.tables)):
        parts.append(Text(f"\n{_LEGEND}", style="dim"))
    if report.agreement:
        parts += [Text(""), Text(_AGREEMENT, style="bold"), _grid(*_agreed(report))]
    return Group(*parts)


def markdown(report: Report, level: int = 2) -> str:
    """The report as Markdown, each table under a heading of that level."""
    blocks = ["\n".join(f"- {_escaped(line)}" for line in _matching(report))]
    for table in filter(_tells, report.tables):
        blocks += [f"{'#' * level} {table.title}", table.definition, _escaped(_coverage(table))]
        lines = [(cells[0], r.definition, *cells[1:]) for r in table.results for cells in [_cells(r)]]
        blocks.append(pipes((_HEAD[0], "meaning", *_HEAD[1:]), lines))
        if table.confusion:
            blocks.append(pipes(*_matrix(table.confusion)))
    if any(map(_tells, report.tables)):
        blocks.append(_LEGEND)
    if report.agreement:
        blocks += [f"{'#' * level} {_AGREEMENT}", pipes(*_agreed(report))]
    return "\n\n".join(blocks) + "\n"


def _matching(report: Report) -> Iterator[str]:
    yield f"{report.n_clips} clips in the run"
    if report.unlabelled.n:
        yield f"{report.unlabelled.n} of them without labels: {_ids(report.unlabelled)}"
    if report.not_in_run.n:
        yield f"{report.not_in_run.n} labels of clips that are not in the run: {_ids(report.not_in_run)}"

    for table in report.tables:
        if not _tells(table):
            yield f"{table.title}: nothing to measure; {_coverage(table)}"


def _agreed(report: Report) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = ("attribute", "between", "clips", "agreed", "Cohen's kappa")
    return head, [
        (
            a.attribute,
            f"{a.first}, {a.second}",
            str(a.n),
            f"{a.agreed_percent:.1f} %",
            "" if a.kappa is None else f"{a.kappa:.3f}",
        )
        for a in report.agreement
    ]


def _tells(table: Table) -> bool:
    return bool(table.results)


def _ids(some: Some) -> str:
    more = ", ..." if some.n > len(some.ids) else ""
    return ", ".join(map(_shown, some.ids)) + more


def _coverage(table: Table) -> str:
    parts = [f"{table.n_measured} of {table.n_labelled} clips measured"]
    if table.n_given:
        parts.append(f"{table.n_given} given to the run and therefore not measured")
    parts += [f"{_shown(reason)}: {n}" for reason, n in table.missing.items()]
    for name, groups in table.groups.items():
        parts.append(f"{name} {', '.join(f'{_shown(group)} for {n}' for group, n in groups.items())}")
    return "; ".join(parts)


def _cells(result: Result) -> tuple[str, ...]:
    bounds = f"{number(result.low, result.unit)} .. {number(result.high, result.unit)}"
    return (
        result.name,
        f"{number(result.value, result.unit)} {result.unit}".rstrip(),
        "" if result.low is None else bounds,
        str(result.n),
        str(result.n_clips),
        f"{result.n_clusters} {result.clusters}",
        "; ".join(_groups(result)),
    )


def _narrow(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Cells for a narrow terminal: a name wraps between its words, and is not cut off."""
    return cells[0].replace("_", " "), *cells[1:]


def _groups(result: Result) -> Iterator[str]:
    """Each group with its value; of speakers, who may be many, only the lowest and the highest."""
    for name, parts in result.splits.items():
        if name == "speaker":
            yield from _range(parts, result.unit)
        else:
            values = (f"{_shown(part)} {number(split.value, result.unit)}" for part, split in parts.items())
            yield f"{name}: {', '.join(values)}"


def _range(parts: Mapping[str, Split], unit: str) -> Iterator[str]:
    values = [split.value for split in parts.values() if split.value is not None]
    if values:
        yield f"speakers: {number(min(values), unit)} .. {number(max(values), unit)}"


def _matrix(confusion: Confusion) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = ("truth, called", *confusion.classes)
    pairs = zip(confusion.classes, confusion.counts, strict=True)
    return head, [(truth, *map(str, line)) for truth, line in pairs]


def number(value: float | None, unit: str) -> str:
    """A value with the digits its unit deserves."""
    return "undefined" if value is None else f"{value:.{_DIGITS.get(unit, _DEFAULT_DIGITS)}f}"


def _grid(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> RichTable:
    grid = RichTable()
    for place, name in enumerate(head):
        words = [word for line in lines for word in line[place].split()] if place == 0 else []
        grid.add_column(Text(name), min_width=max(map(len, words), default=None))
    for line in lines:
        grid.add_row(*map(Text, line))
    return grid


def pipes(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; what the cells hold is shown as it is."""
    rows = [head, ("---",) * len(head), *(tuple(map(_escaped, line)) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(text: str) -> str:
    """The text with what does not print (escape sequences, line breaks, direction marks) spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
