"""Which exports were made of a run: kept in the run, so that forgetting can name them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs.export import ledger
from jobs.export.request import Request
from jobs.export.splits import SplitSpec
from pipeline.errors import StorageError
from pipeline.storage import Store

FOLDER = "exports"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An export: its record in the run, where it lies, and what was asked for."""

    name: str
    path: str
    request: Request
    text: str


def record(run: Store, out: Store, digest: str, request: Request) -> bool:
    """Note an export in the run; False where the run cannot be written."""
    path = str(Path(out.full("")).resolve()) if out.is_local else out.url
    facts = json.dumps({"path": path, "request": asdict(request)}, ensure_ascii=False).encode()
    try:
        run.write(f"{FOLDER}/{digest}-{ledger.mark(path)}.json", facts)
    except (OSError, StorageError):
        return False
    return True


def recorded(run: Store) -> Iterator[Recorded]:
    """The exports noted in the run that are still where they were written."""
    for name in sorted(run.names(FOLDER)):
        text = run.read(name).decode()
        facts = json.loads(text)
        if Store(facts["path"]).exists(ledger.REQUEST):
            yield Recorded(name, facts["path"], _request(facts["request"]), text)


def _request(facts: dict[str, Any]) -> Request:
    split = facts.pop("split")
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
    return Request(**lists, split=None if split is None else SplitSpec(**split))
