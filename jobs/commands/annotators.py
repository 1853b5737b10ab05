"""`speechcraft annotators`."""

from __future__ import annotations

import inspect
from typing import Any

from rich.console import Console
from rich.markup import escape

import annotators
from jobs.output import emit
from pipeline.annotator import Annotator
from pipeline.errors import OptionError
from pipeline.models import ModelError
from pipeline.options import defaults_of, describe_type, options_of
from pipeline.schema import columns_of


def run(*, as_json: bool) -> None:
    """List every annotator."""
    facts = [facts_of(family, way) for family, names in annotators.ways().items() for way in names]
    if as_json:
        emit(facts)
    else:
        _print(facts)


def facts_of(family: str, way: str) -> dict[str, Any]:
    """What there is to know of a way without constructing it; `missing` where its packages are."""
    try:
        cls = annotators.load(family, way)
    except OptionError as error:
        return {"family": family, "way": way, "missing": str(error)}
    options = {
        name: {
            "type": describe_type(info.type),
            "default": None if info.default is inspect.Parameter.empty else info.default,
            "unit": info.option.unit,
            "doc": info.option.doc,
        }
        for name, info in options_of(cls).items()
    }
    return {
        "family": family,
        "way": way,
        "about": (inspect.getdoc(inspect.getmodule(cls)) or "").split("\n\n")[0].replace("\n", " "),
        "version": cls.version,
        "reads": [r.family for r in (*cls.needs, *cls.wants)],
        "hears": cls.hears,
        "uses_given": sorted(cls.sees),
        "languages": None if cls.languages is None else sorted(cls.languages),
        "exact": cls.exact,
        "columns": [
            {"name": c.name, "unit": c.column.unit, "doc": c.column.doc} for c in columns_of(cls.row)
        ],
        "options": options,
        "models": _models(cls),
    }


def _models(cls: type[Annotator[Any]]) -> list[dict[str, Any]]:
    """The models of the default options; the identity is null where a published one is not here."""
    defaults = defaults_of(cls)
    try:
        found = cls.models(defaults)
    except ModelError:
        absent = cls.published(defaults)
        return [
            {"name": p.name, "identity": None, "licence": p.licence, "commercial": p.commercial}
            for p in absent
        ]
    return [
        {"name": m.name, "identity": m.identity, "licence": m.licence, "commercial": m.commercial}
        for m in found
    ]


def _relations(f: dict[str, Any]) -> dict[str, str]:
    """What it takes in: other families, sound, what is given, and which languages it is for."""
    return {
        "reads": ", ".join(f["reads"]) or "nothing",
        "hears": {None: "nothing", "raw": "raw sound", "speech": "enhanced sound"}[f["hears"]],
        "is given": ", ".join(f["uses_given"]) or "nothing",
        "serves": "all languages" if f["languages"] is None else ", ".join(f["languages"]),
    }


def _print(facts: list[dict[str, Any]]) -> None:
    console = Console()
    for f in facts:
        console.print(f"\n[bold]{f['family']}[/]: [bold cyan]{f['way']}[/]", highlight=False)
        if "missing" in f:
            console.print(f"  [yellow]{escape(f['missing'])}[/]")
            continue
        console.print(f"  {escape(f['about'])}", highlight=False)
        console.print("  " + "  ".join(f"[dim]{k}[/] {v}" for k, v in _relations(f).items()), highlight=False)
        for c in f["columns"]:
            unit = f" ({escape(c['unit'])})" if c["unit"] else ""
            console.print(f"    [green]{c['name']}[/]{unit}  {escape(c['doc'])}", highlight=False)
        for name, o in f["options"].items():
            unit = f" {escape(o['unit'])}" if o["unit"] else ""
            console.print(
                f"    [magenta]{f['family']}.{name}[/]={escape(str(o['default']))}{unit}  {escape(o['doc'])}",
                highlight=False,
            )
        for m in f["models"]:
            flag = "" if m["commercial"] else " [yellow]non-commercial[/]"
            name = f"{escape(m['name'])} {escape(m['identity'] or '(not here)')}"
            console.print(f"    model {name}, {escape(m['licence'])}{flag}")
