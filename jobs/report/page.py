"""The page as HTML: one template, which escapes everything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from jobs.captions.render import percent
from jobs.languages import language_name
from jobs.pages import asset
from jobs.report.facts import facts_of
from jobs.report.parts import Parts

_HERE = Path(__file__).parent


def page(parts: Parts) -> str:
    """The HTML of a report. Its script is named by its hash in the policy: no other runs."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    script = asset("clip.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    facts = facts_of(parts)
    return environment.from_string((_HERE / "page.html.j2").read_text("utf-8")).render(
        **facts,
        sections=_sections(facts),
        style=(_HERE / "report.css").read_text("utf-8") + asset("clip.css"),
        script=script,
        script_hash=f"sha256-{digest}",
        percent=percent,
        names=language_name,
    )


def _sections(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the page has, for its menu."""
    there = (
        ("overview", "Overview", True),
        ("people", "Speakers", facts["people"]),
        ("measures", "Measures", facts["measures"]),
        ("labels", "Labels", facts["levels"] or facts["topics"]),
        ("captions", "Captions", facts["captions"]),
        ("listen", "Listen", facts["examples"]),
        ("unsure", "Least sure", facts["unsure"]),
        ("failures", "Failures", True),
        ("cost", "Cost", facts["costs"]),
        ("made", "How made", True),
    )
    return [(id, title) for id, title, shown in there if shown]
