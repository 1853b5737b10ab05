"""A report for people, as Markdown; and what that has in common with the terminal's form.

Ids, speakers and reasons come from the data: what they hold is shown, and breaks no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from jobs.evaluate.agreement import Agreement
from jobs.evaluate.report import Confusion, Report, Result, Some, Split, Table
from pipeline.counting import counted

_DIGITS = {"": 3, "ms": 1, "cents": 1, "years": 1}
_DEFAULT_DIGITS = 2
FEWEST_FOR_KAPPA = 10
"""From which on a kappa is shown: Cochran (1954) asks for 5 expected of each of two classes."""
HEAD = ("figure", "value", "95 % interval", "n", "clips", "clusters")
LEGEND = (
    "n counts what the figure is over: frames, boundaries, words or clips. The interval is a bootstrap that "
    "draws whole clusters: speakers, or clips where fewer than four speakers are known, and then it speaks "
    "of these speakers only. Over fewer than about ten speakers it is too narrow."
)
SPEAKER = "speaker"
"""The property whose groups may be many: only the lowest and the highest of them are told."""
AGREEMENT = "Agreement with reviewers"
AGREED_HEAD = ("attribute", "between", "clips", "agreed", "Cohen's kappa")
AGREED_LEGEND = (
    "Cohen's kappa is agreement beyond chance: 1 is all there can be, 0 none. It is undefined where both "
    "always say the same, and of texts that one of the two wrote; of fewer than "
    f"{FEWEST_FOR_KAPPA} clips it would tell nothing."
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def markdown(report: Report, level: int = 2) -> str:
    """The report as Markdown, each table under a heading of that level."""
    blocks = ["\n".join(f"- {_escaped(line)}" for line in matching(report))]
    for table in filter(tells, report.tables):
        blocks += [f"{'#' * level} {table.title}", table.definition, _escaped(coverage(table))]
        lines = [(r.name, r.definition, *cells(r)[1:], "; ".join(_groups(r))) for r in table.results]
        blocks.append(pipes((HEAD[0], "meaning", *HEAD[1:], "by group"), lines))
        if table.confusion:
            blocks.append(pipes(*matrix(table.confusion)))
    if any(map(tells, report.tables)):
        blocks.append(LEGEND)
    if report.agreement:
        blocks += [f"{'#' * level} {AGREEMENT}", pipes(AGREED_HEAD, list(map(agreed, report.agreement)))]
        blocks.append(AGREED_LEGEND)
    return "\n\n".join(blocks) + "\n"


def matching(report: Report) -> Iterator[str]:
    """How clips and labels meet, and what there was nothing to measure of; a line each."""
    yield f"{counted(report.n_clips, 'clip')} in the run"
    if report.unlabelled.n:
        yield f"{report.unlabelled.n} of them without labels: {_ids(report.unlabelled)}"
    if report.not_in_run.n:
        lost = counted(report.not_in_run.n, "label")
        yield f"{lost} of clips that are not in the run: {_ids(report.not_in_run)}"
    if report.broken.n:
        lines = counted(report.broken.n, "line")
        yield f"{lines} of the labels passed over, as no clip can be read from it: {_ids(report.broken)}"

    for table in report.tables:
        if not tells(table):
            yield f"{table.title}: nothing to measure; {coverage(table)}"


def agreed(found: Agreement) -> tuple[str, ...]:
    """The cells of a line under AGREED_HEAD."""
    kappa = "undefined" if found.kappa is None else f"{found.kappa:.3f}"
    return (
        found.attribute,
        f"{found.first}, {found.second}",
        f"{found.n:,}",
        f"{found.agreed_percent:.1f} %",
        "too few clips" if found.n < FEWEST_FOR_KAPPA else kappa,
    )


def tells(table: Table) -> bool:
    """Whether anything could be measured."""
    return bool(table.results)


def _ids(some: Some) -> str:
    more = ", ..." if some.n > len(some.ids) else ""
    return ", ".join(map(shown, some.ids)) + more


def coverage(table: Table) -> str:
    """How many of the labelled clips were measured, and why the others were not."""
    parts = [f"{table.n_measured} of {counted(table.n_labelled, 'clip')} measured"]
    if table.n_given:
        parts.append(f"{table.n_given} given to the run and therefore not measured")
    parts += [f"{shown(reason)}: {n}" for reason, n in table.missing.items()]
    for name, groups in table.groups.items():
        parts.append(f"{name} {', '.join(f'{shown(group)} for {n}' for group, n in groups.items())}")
    return "; ".join(parts)


def cells(result: Result) -> tuple[str, ...]:
    """The cells of a line under HEAD."""
    bounds = f"{number(result.low, result.unit)} .. {number(result.high, result.unit)}"
    return (
        result.name,
        f"{number(result.value, result.unit)} {result.unit}".rstrip(),
        "" if result.low is None else bounds,
        str(result.n),
        str(result.n_clips),
        counted(result.n_clusters, result.clusters.removesuffix("s")),
    )


def _groups(result: Result) -> Iterator[str]:
    """Each group with its value; of speakers, who may be many, only the lowest and the highest."""
    for name, parts in result.splits.items():
        if name == SPEAKER:
            yield from _range(parts, result.unit)
        else:
            values = (f"{shown(part)} {number(split.value, result.unit)}" for part, split in parts.items())
            yield f"{name}: {', '.join(values)}"


def _range(parts: Mapping[str, Split], unit: str) -> Iterator[str]:
    if (bounds := extremes(parts)) is not None:
        yield f"speakers: {number(bounds[0], unit)} .. {number(bounds[1], unit)}"


def extremes(parts: Mapping[str, Split]) -> tuple[float, float] | None:
    """The lowest and the highest value of the groups; None where all are undefined."""
    values = [split.value for split in parts.values() if split.value is not None]
    return (min(values), max(values)) if values else None


def matrix(confusion: Confusion) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and lines of a table of clips by true and called class."""
    head = ("truth, called", *confusion.classes)
    pairs = zip(confusion.classes, confusion.counts, strict=True)
    return head, [(truth, *map(str, line)) for truth, line in pairs]


def number(value: float | None, unit: str) -> str:
    """A value with the digits its unit deserves."""
    return "undefined" if value is None else f"{value:.{_DIGITS.get(unit, _DEFAULT_DIGITS)}f}"


def pipes(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; what the cells hold is shown as it is."""
    rows = [head, ("---",) * len(head), *(tuple(map(_escaped, line)) for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shown(text: str) -> str:
    """The text with what does not print (escape sequences, line breaks, direction marks) spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
