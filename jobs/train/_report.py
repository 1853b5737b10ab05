"""What a training prints: its progress and tables for people, or the lines of all tables for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from jobs.train._tables import Line

Say = Callable[[str], None]


def cache() -> Path:
    """Where features are kept between trainings, if nobody says otherwise."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "speechcraft" / "train"


def printed(train: Callable[[Say], Sequence[Line]], *, as_json: bool) -> None:
    """Run a training and print what it says; as JSON, its lines alone stand on standard output."""
    found = train(lambda text: _print(text, sys.stderr.write if as_json else sys.stdout.write))
    if as_json:
        _print(json.dumps([asdict(line) for line in found], indent=2), sys.stdout.write)


def _print(text: str, write: Callable[[str], object]) -> None:
    write(f"{text}\n")
