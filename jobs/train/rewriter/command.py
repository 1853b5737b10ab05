"""`speechcraft train rewriter`: from captions to an adapter that `speechcraft serve` loads.

The folder ends with the adapter, its card, report.json (written last) and `work/`: answers of the endpoint
and checkpoints, from which the same command goes on after an interruption.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from jobs.output import emit, notice
from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.card import card
from jobs.train.rewriter.data import Wanted, prepared
from jobs.train.rewriter.report import terminal
from jobs.train.rewriter.schedule import Schedule
from pipeline.errors import UsageError
from pipeline.storage import Store
from prompts import check

Say = Callable[[str], None]
NEEDS = ("torch", "transformers", "peft", "trl")
REPORT, WORK, SETTINGS = "report.json", "work", "settings.json"


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for; `generate` None: 100 answers on a GPU, 4 without."""

    model: str
    out: Path
    data: Wanted
    prompt: str = "caption"
    few_shot: bool = False
    orders: int = 2
    schedule: Schedule = field(default_factory=Schedule)
    max_length: int = 4096
    generate: int | None = None
    cpu: bool = False


def run(request: Request, *, as_json: bool) -> int:
    """Train; the exit code."""
    require_extra()
    record = _finished(request) or _trained(request, notice)
    if as_json:
        emit(record)
    else:
        Console(soft_wrap=True).print(terminal(record), highlight=False)
    return 0


def require_extra() -> None:
    """UsageError where what trains is not installed."""
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"Training needs {', '.join(missing)}: install speechcraft[train].")


def _trained(request: Request, say: Say) -> dict[str, Any]:
    """Do it; what report.json holds. The data come first: most mistakes are found without loading a model."""
    prompts = Prompts(request.prompt, few_shot=request.few_shot)
    work = request.out / WORK
    _claim(request, work)
    data = prepared(request.data, prompts, work, say)
    from jobs.train.rewriter.training import train

    record = train(request, data, prompts, work, say)
    text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
    (request.out / "README.md").write_text(card(record), "utf-8")
    Store(str(request.out)).write(REPORT, text.encode())
    return record


def _finished(request: Request) -> dict[str, Any] | None:
    """What report.json holds, if the very same training has ended in this folder."""
    report = request.out / REPORT
    if not report.is_file() or _settings(request.out / WORK) != _identity(request):
        return None
    notice(f"This training has ended before: {report}")
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return found


def _claim(request: Request, work: Path) -> None:
    """Note what the folder is for; UsageError if it is for another training."""
    identity, found = _identity(request), _settings(work)
    if found is not None and found != identity:
        other = sorted(name for name in identity if identity[name] != found.get(name))
        raise UsageError(
            f"{request.out} holds a training with other settings ({', '.join(other)}): "
            f"give another folder, or remove it."
        )
    Store(str(work)).write(SETTINGS, json.dumps(identity, indent=1).encode())


def _settings(work: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((work / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _identity(request: Request) -> dict[str, Any]:
    """All that decides the adapter, as JSON has it; where things run does not."""
    facts = asdict(request) | {"check": check.digest()}
    for name in ("out", "generate", "cpu"):
        del facts[name]
    if facts["data"]["endpoint"]:
        del facts["data"]["endpoint"]["address"], facts["data"]["endpoint"]["api_key_env"]
    found: dict[str, Any] = json.loads(json.dumps(facts, default=str, sort_keys=True))
    return found
