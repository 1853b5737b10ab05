"""The figures on a terminal. Sources come from endpoints: they are shown, and style nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table

from jobs.captions.report import PLACES, Figures, Report
from jobs.output import shown
from pipeline.counting import counted

NAMES = {"en": "English", "zh": "Chinese"}


def terminal(report: Report) -> RenderableType:
    """The report as rich text."""
    without = f", {report.without:,} without a caption" if report.without else ""
    parts: list[RenderableType] = [f"{counted(report.clips, 'clip')}{without}"]
    for language, figures in report.languages.items():
        parts += [
            f"\n[bold]{NAMES[language]}[/]: {counted(figures.clips, 'clip')}, "
            f"{counted(figures.captions, 'caption')}"
        ]
        parts += [faults(figures), attributes(figures), *_lines(figures), diversity(figures)]
    return Group(*parts)


def faults(figures: Figures) -> Table:
    """Each kind of fault in captions and clips."""
    table = _table("fault", "captions", "of captions", "clips", "of clips")
    for kind in dict.fromkeys(("omission", "distortion", *figures.kinds)):
        n, clips = figures.kinds.get(kind, 0), figures.clips_with.get(kind, 0)
        table.add_row(
            kind, f"{n:,}", percent(n, figures.captions), f"{clips:,}", percent(clips, figures.clips)
        )
    return table


def attributes(figures: Figures) -> Table:
    """Omission and distortion by attribute."""
    table = _table("attribute", "to tell", "omitted", "", "distorted", "")
    for one in figures.attributes:
        omitted, distorted = percent(one.omission, one.told), percent(one.distortion, one.told)
        table.add_row(
            one.name, f"{one.told:,}", f"{one.omission:,}", omitted, f"{one.distortion:,}", distorted
        )
    return table


def diversity(figures: Figures) -> Table:
    """How varied, and how long, both kinds of caption are."""
    table = _table("", *figures.diversity)
    found, lengths = figures.diversity.values(), figures.lengths.values()
    table.add_row("texts", *(f"{d.texts:,}" for d in found))
    unit = next(iter(lengths)).unit if lengths else ""
    table.add_row(
        f"{unit}: least, 5 %, median, 95 %, most",
        *(f"{n.least} {n.p5} {n.median} {n.p95} {n.most}" for n in lengths),
    )
    for n in range(3):
        table.add_row(f"distinct-{n + 1}", *(f"{d.distinct[n]:.3f}" if d.distinct else "-" for d in found))
    table.add_row("near duplicates", *(_share(d.near_duplicates) for d in found))
    table.add_row("self-BLEU", *("-" if d.self_bleu is None else f"{d.self_bleu:.1f}" for d in found))
    table.add_row("of a sample of", *(f"{d.sampled:,}, {d.self_bleu_texts:,}" for d in found))
    return table


def percent(n: int, total: int) -> str:
    """A share with two decimals; a dash where there is nothing."""
    return f"{100 * n / total:.2f} %" if total else "-"


def places(figures: Figures) -> str:
    """Where the words stand in instructions."""
    total = sum(figures.places.values())
    return ", ".join(f"{p} {percent(figures.places[p], total)}" for p in PLACES if p in figures.places)


def _lines(figures: Figures) -> Iterator[str]:
    sources = ", ".join(f"{shown(s)} {n:,}" for s, n in figures.sources.items())
    yield f"written by: {sources}"
    asked = ", ".join(f"{n} for {counted(clips, 'clip')}" for n, clips in figures.attempts.items())
    yield f"answers asked: {asked}"
    if figures.places:
        yield f"the words stand: {places(figures)}"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _table(*names: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for i, name in enumerate(names):
        table.add_column(name, justify="left" if i == 0 else "right")
    return table
