"""`speechcraft annotators`."""

from __future__ import annotations

import inspect
import re
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

import annotators
from jobs.output import emit, setting
from pipeline.annotator import Annotator
from pipeline.errors import OptionError, unknown
from pipeline.models import ModelError
from pipeline.options import defaults_of, describe_type, options_of
from pipeline.schema import columns_of


def run(name: str = "", *, as_json: bool) -> None:
    """List every annotator, or those of that name."""
    facts = [facts_of(family, way) for family, way in named(name)]
    if as_json:
        emit(facts)
    else:
        _print(facts)


def named(name: str) -> list[tuple[str, str]]:
    """The family and way of each annotator of that name, all where it is empty.

    A name is a family, a way, or both as tables (`pitch-dio`) and job files (`pitch: dio`) have them.
    OptionError where there is none.
    """
    every = [(family, way) for family, ways in annotators.ways().items() for way in ways]
    if not name:
        return every
    wanted = _spelt(name)
    found = [(f, w) for f, w in every if wanted in (f, _spelt(w), _spelt(f"{f}-{w}"))]
    if not found:
        names = {part for f, w in every for part in (f, w, f"{f}-{w}")}
        raise unknown("annotator", name, names, "`speechcraft annotators` lists all")
    return found


def _spelt(name: str) -> str:
    """A name, however its parts are joined."""
    return re.sub(r"[\s:=._-]+", "-", name.strip().lower())


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
    console = Console(highlight=False)

    def say(text: str, indent: int) -> None:
        console.print(Padding(text, (0, 0, 0, indent), expand=False))

    for f in facts:
        console.print(f"\n[bold]{f['family']}[/]: [bold cyan]{f['way']}[/]")
        if "missing" in f:
            say(f"[yellow]{escape(f['missing'])}[/]", 2)
            continue
        say(escape(f["about"]), 2)
        say("  ".join(f"[dim]{k}[/] {v}" for k, v in _relations(f).items()), 2)
        for c in f["columns"]:
            unit = f" ({escape(c['unit'])})" if c["unit"] else ""
            say(f"[green]{c['name']}[/]{unit}  {escape(c['doc'])}", 4)
        for name, o in f["options"].items():
            unit = f" {escape(o['unit'])}" if o["unit"] else ""
            value = f"{escape(setting(o['default']))}{unit}"
            say(f"[magenta]{f['family']}.{name}[/]={value}  {escape(o['doc'])}", 4)
        for m in f["models"]:
            flag = "" if m["commercial"] else " [yellow]non-commercial[/]"
            name = f"{escape(m['name'])} {escape(m['identity'] or '(not here)')}"
            say(f"model {name}, {escape(m['licence'])}{flag}", 4)
