"""`speechcraft captions`."""

from __future__ import annotations

from rich.console import Console

from jobs.captions import Reporter, captioned
from jobs.captions.render import terminal
from jobs.output import emit
from jobs.runs import Run


def run(directory: str, *, as_json: bool, seed: int = 0) -> None:
    """Count the captions of a run."""
    reporter = Reporter(seed)
    for one in captioned(Run.open(directory)):
        reporter.add(one)
    report = reporter.report()
    emit(report.record()) if as_json else Console().print(terminal(report), highlight=False)
