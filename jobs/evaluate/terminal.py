"""A report for a terminal of 80 columns: figures first, then each group of clips, then what the words mean.

What comes from the data neither styles the terminal nor steers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from jobs.evaluate.render import (
    AGREED_HEAD,
    AGREED_LEGEND,
    AGREEMENT,
    HEAD,
    LEGEND,
    SPEAKER,
    agreed,
    cells,
    coverage,
    extremes,
    matching,
    matrix,
    number,
    shown,
    tells,
)
from jobs.evaluate.report import Report, Table


def terminal(report: Report) -> RenderableType:
    """The report as rich text."""
    parts: list[RenderableType] = [Text(line) for line in matching(report)]
    for table in filter(tells, report.tables):
        parts += _section(table)
    if any(map(tells, report.tables)):
        parts.append(_note(f"\n{LEGEND}"))
    if report.agreement:
        parts += [*_title(AGREEMENT), _grid(AGREED_HEAD, list(map(agreed, report.agreement)), n_texts=2)]
        parts += [_note(AGREED_LEGEND)]
    return Group(*parts)


def _section(table: Table) -> Iterator[RenderableType]:
    yield from _title(table.title)
    yield Text(coverage(table))
    yield Text("")
    yield _grid(HEAD, [(_spaced(name), *others) for name, *others in map(cells, table.results)])
    for head, lines in _groups(table):
        yield Text("")
        yield _grid(head, lines)
    if table.confusion:
        yield Text("")
        yield _grid(*matrix(table.confusion))
    yield Text("")
    yield _note(table.definition)
    for result in table.results:
        yield _note(f"{_spaced(result.name)}: {result.definition}")


def _title(text: str) -> tuple[RenderableType, ...]:
    return Text(""), Text(text, style="bold")


def _note(text: str) -> Text:
    return Text(text, style="dim")


def _spaced(name: str) -> str:
    """A figure's name, which may wrap between its words."""
    return name.replace("_", " ")


def _groups(table: Table) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    """Head and lines of a block for each property by which the table is split."""
    for name in sorted({name for result in table.results for name in result.splits}):
        split = [result for result in table.results if name in result.splits]
        if name == SPEAKER:
            bounds = [(result, extremes(result.splits[name])) for result in split]
            yield (
                ("by speaker", "lowest", "highest"),
                [(_spaced(r.name), *(number(v, r.unit) for v in b)) for r, b in bounds if b is not None],
            )
            continue
        groups = sorted({group for result in split for group in result.splits[name]})
        lines = [
            (
                _spaced(result.name),
                *(number(part.value, result.unit) if part else "" for part in map(parts.get, groups)),
            )
            for result in split
            for parts in [result.splits[name]]
        ]
        yield (f"by {shown(name)}", *map(shown, groups)), lines


def _grid(head: Sequence[str], lines: Sequence[Sequence[str]], *, n_texts: int = 1) -> RichTable:
    """A table whose first columns, `n_texts` of them, hold text, which may wrap; numbers never do."""
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(head):
        if place < n_texts:
            longest = max((len(word) for line in lines for word in line[place].split()), default=None)
            grid.add_column(Text(name), min_width=longest)
        else:
            grid.add_column(Text(name), justify="right", no_wrap=True)
    for line in lines:
        grid.add_row(*map(Text, line))
    return grid
