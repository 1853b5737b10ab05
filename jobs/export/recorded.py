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
    """An export: its record in the run, where it lies, what was asked for, and the run it was made from,
    which is another where this one is a copy."""

    name: str
    path: str
    request: Request
    text: str
    run: str

    @property
    def digest(self) -> str:
        """Of what was asked for, and of the dataset."""
        return self.name.rpartition("/")[2].partition("-")[0]

    def is_of(self, run: Store) -> bool:
        """Whether it was made from this very run."""
        return self.run == _place(run)


def record(run: Store, out: Store, digest: str, request: Request) -> bool:
    """Note an export in the run; False where the run cannot be written."""
    path = _place(out)
    known = {"path": path, "run": _place(run), "request": asdict(request)}
    facts = json.dumps(known, ensure_ascii=False).encode()
    try:
        run.write(f"{FOLDER}/{digest}-{ledger.mark(path)}.json", facts)
    except (OSError, StorageError):
        return False
    return True


def recorded(run: Store) -> Iterator[Recorded]:
    """The exports noted in the run that are still where they were written, as they were."""
    for name in sorted(run.names(FOLDER)):
        text = run.read(name).decode()
        facts = json.loads(text)
        made_from = facts.get("run", _place(run))  # earlier versions did not write it
        one = Recorded(name, facts["path"], _request(facts["request"]), text, made_from)
        if ledger.digest_of(Store(one.path)) == one.digest:
            yield one


def remove_old(run: Store, path: str) -> None:
    """Remove the records of what was exported to this place before, or did not come to be there."""
    known, mark = ledger.digest_of(Store(path)), ledger.mark(path)
    for name in run.names(FOLDER):
        if name.endswith(f"-{mark}.json") and name != f"{FOLDER}/{known}-{mark}.json":
            run.remove(name)


def _place(store: Store) -> str:
    """Where a folder is, in one way of writing it."""
    return str(Path(store.full("")).resolve()) if store.is_local else store.url


def _request(facts: dict[str, Any]) -> Request:
    split = facts.pop("split")
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
    return Request(**lists, split=None if split is None else SplitSpec(**split))
