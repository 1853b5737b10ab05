"""The report of `speechcraft evaluate --json`, as a card shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jobs.evaluate.render import number
from jobs.evaluate.report import FORMAT
from pipeline.errors import UsageError


def read_accuracy(path: Path) -> str:
    """The report's text; UsageError where the file is none."""
    try:
        text = path.read_text("utf-8")
        lines_of(text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not what `speechcraft evaluate --json` printed.") from error
    return text


def lines_of(text: str) -> list[tuple[str, ...]]:
    """Each figure: attribute, figure, value, 95 % interval, clips."""
    report = json.loads(text)
    if report["format"] != FORMAT:
        raise ValueError(report["format"])
    return [_line(table["title"], found) for table in report["tables"] for found in table["results"]]


def _line(title: str, found: dict[str, Any]) -> tuple[str, ...]:
    unit, low, high = found["unit"], found["low"], found["high"]
    return (
        str(title),
        str(found["name"]),
        f"{number(found['value'], unit)} {unit}".rstrip(),
        "" if low is None else f"{number(low, unit)} .. {number(high, unit)}",
        f"{int(found['n_clips']):,}",
    )
