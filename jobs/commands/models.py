"""`speechcraft models`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

import annotators
from jobs.jobfile import profiles, read_profile, specs_of
from jobs.output import emit
from pipeline.errors import OptionError
from pipeline.models import ModelError, Published, locate
from pipeline.options import defaults_of, resolve
from pipeline.way import WaySpec


def run_list(*, as_json: bool) -> None:
    """Every published model an annotator can load: licence, size, where it is."""
    facts = [_facts(f"{family}={way}", p) for family, way, p in _all_published()]
    if as_json:
        emit(facts)
    else:
        _print(facts)


def run_check(profile: str, *, as_json: bool) -> bool:
    """Whether every model of a profile is here and can be loaded; prints what is wrong with each."""
    facts = [_checked(spec) for spec in specs_of(read_profile(profile))]
    facts = [f for f in facts if f["models"] or f["error"]]
    if as_json:
        emit(facts)
    else:
        console = Console()
        for f in facts:
            state = f"[red]{escape(f['error'])}[/]" if f["error"] else "[green]ok[/]"
            console.print(f"{f['annotator']:<24} {', '.join(f['models'])}: {state}", highlight=False)
    return not any(f["error"] for f in facts)


def run_pull(profile: str) -> None:
    """Download every model of a profile that is not here yet."""
    from jobs.pull import pull

    console = Console()
    for spec in specs_of(read_profile(profile)):
        for published in spec.cls.published(resolve(spec.cls, spec.owner, spec.options)):
            try:
                folder = locate(published).folder
                console.print(f"{published.name} is here: {folder}", markup=False, highlight=False)
            except ModelError:
                console.print(
                    f"{published.name}: {_size(published.size_bytes)} ...", markup=False, highlight=False
                )
                pull(published)


def _all_published() -> Iterator[tuple[str, str, Published]]:
    for family, names in annotators.ways().items():
        for way in names:
            try:
                cls = annotators.load(family, way)
            except OptionError:
                continue
            for published in cls.published(defaults_of(cls)):
                yield family, way, published


def _checked(spec: WaySpec) -> dict[str, Any]:
    options = resolve(spec.cls, spec.owner, spec.options)
    names = [p.name for p in spec.cls.published(options)]
    try:
        for published in spec.cls.published(options):
            locate(published)
        spec.cls.check(options)
    except ModelError as error:
        return {"annotator": spec.owner, "models": names, "error": str(error)}
    return {"annotator": spec.owner, "models": names, "error": None}


def _facts(owner: str, published: Published) -> dict[str, Any]:
    try:
        found: str | None = str(locate(published).folder)
    except ModelError:
        found = None
    return {
        "annotator": owner,
        "model": published.name,
        "revision": published.revision,
        "licence": published.licence,
        "commercial": published.commercial,
        "size_bytes": published.size_bytes,
        "about": published.about,
        "folder": found,
    }


def _print(facts: list[dict[str, Any]]) -> None:
    table = Table("annotator", "model", "licence", "size", "here", box=None, header_style="bold")
    for f in facts:
        flag = "" if f["commercial"] else " [yellow]not commercial[/]"
        here = f"[green]{escape(f['folder'])}[/]" if f["folder"] else "[dim]no[/]"
        licence = escape(f["licence"]) + flag
        table.add_row(f["annotator"], escape(f["model"]), licence, _size(f["size_bytes"]), here)
    console = Console()
    console.print(table)
    console.print(
        f"Profiles: {', '.join(profiles())}. Fetch the models of one: speechcraft models pull PROFILE"
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
