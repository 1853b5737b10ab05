"""What of an export is finished: `.export/` in its folder, and SHA256SUMS when it is whole."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.export.forms.base import Fact
from pipeline.errors import UsageError
from pipeline.lease import LEASE, LOCK
from pipeline.storage import TEMPORARY, Store

HOME = ".export"
REQUEST = f"{HOME}/request.json"
SUMS = "SHA256SUMS"


@dataclass(slots=True)
class Receipt:
    """A finished part. `silent` counts clips without sound by the code of the reason."""

    files: list[Fact]
    rows: int
    silent: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)


def mark(path: str) -> str:
    """A short name for a place."""
    return hashlib.blake2b(path.encode(), digest_size=4).hexdigest()


def begin(out: Store, digest: str, asked: dict[str, Any]) -> bool:
    """Take the folder, or go on in it: whether it is new. UsageError where it holds anything else."""
    names = out.names()
    if REQUEST in names:
        if json.loads(out.read(REQUEST))["digest"] == digest:
            return False
        raise UsageError(
            f"{out.url} holds another export, or one of an earlier state of the run: "
            "name another folder, or remove it."
        )
    if names:
        raise UsageError(f"{out.url} is not empty and holds no export: name another folder.")
    out.prepare()
    record = {"digest": digest, **asked}
    out.write(REQUEST, json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True).encode())
    return True


def sweep(out: Store) -> None:
    """Remove what a killed export left under temporary names."""
    if out.is_local:
        for file in Path(out.full("")).rglob(f"{TEMPORARY}*"):
            if file.name not in (LOCK, LEASE):
                file.unlink()


def finished(out: Store, numbers: Iterable[int]) -> set[int]:
    """The parts that are finished."""
    have = out.names(HOME)
    return {number for number in numbers if _path(number) in have}


def note(out: Store, number: int, receipt: Receipt) -> None:
    """A part is finished: its files have their names."""
    facts = {
        "files": [list(f) for f in receipt.files],
        "rows": receipt.rows,
        "silent": receipt.silent,
        "examples": receipt.examples,
    }
    out.write(_path(number), json.dumps(facts, ensure_ascii=False).encode())


def read(out: Store, number: int) -> Receipt:
    """The receipt of a finished part."""
    facts = json.loads(out.read(_path(number)))
    files = [Fact(*f) for f in facts["files"]]
    return Receipt(files, facts["rows"], facts["silent"], facts["examples"])


def silent(out: Store, numbers: Iterable[int]) -> tuple[Counter[str], dict[str, str]]:
    """Clips without sound by the code of the reason, and an example of each."""
    counted: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for number in numbers:
        receipt = read(out, number)
        counted.update(receipt.silent)
        for code, text in receipt.examples.items():
            examples.setdefault(code, text)
    return counted, examples


def seal(out: Store, numbers: Iterable[int], rest: Iterable[Fact]) -> int:
    """Write SHA256SUMS over every file, in the order of the parts; the bytes of them all."""
    total = 0
    with out.writing(SUMS) as file:
        for fact in rest:
            file.write(f"{fact.sha256}  {fact.name}\n".encode())
            total += fact.bytes
        for number in numbers:
            for fact in read(out, number).files:
                file.write(f"{fact.sha256}  {fact.name}\n".encode())
                total += fact.bytes
    return total


def _path(number: int) -> str:
    return f"{HOME}/parts/{number:06d}.json"
