"""What of an export is finished: `.export/` in its folder while it is made, `export.json` when it is whole.

Of a finished export every file is in SHA256SUMS, and nothing else is there.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.export.card import CARD
from jobs.export.forms.base import Fact
from jobs.export.plan import DROPPED
from pipeline.errors import UsageError
from pipeline.lease import LEASE, LOCK
from pipeline.storage import TEMPORARY, Store

HOME = ".export"
REQUEST = f"{HOME}/request.json"
MADE = "export.json"
"""What was asked for, by its digest, and what came of it."""
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
    known = digest_of(out)
    if known not in (None, digest):
        raise UsageError(
            f"{out.url} holds another export, or one of an earlier state of the run: "
            "name another folder, or remove it."
        )
    if known is None and names:
        raise UsageError(f"{out.url} is not empty and holds no export: name another folder.")
    out.prepare()
    if REQUEST not in names:
        _ask(out, digest, asked)
    return known is None


def replace(out: Store, digest: str, asked: dict[str, Any]) -> None:
    """Begin another export in the place of this one, of which all goes, finished or not, and nothing that
    others put beside it.

    What says which export it is goes last: after a kill the folder is either's, never nobody's.
    """
    names = out.names()
    parts = {name for name in names if name.startswith(f"{HOME}/parts/")}
    data = {f.name for name in parts for f in _receipt(out, name).files}
    if SUMS in names:
        data.update(_listed(out))
    if REQUEST in names:
        data |= {CARD, DROPPED}
    out.remove_files(sorted((data - {MADE}) & names))
    out.remove_files([*sorted(parts), SUMS])
    _ask(out, digest, asked)
    out.remove_files([MADE])


def digest_of(out: Store) -> str | None:
    """Of what the export in the folder was asked for; None where there is none."""
    for name in (MADE, REQUEST):
        if out.exists(name) and (digest := _digest_in(out.read(name))) is not None:
            return digest
    return None


def whole(out: Store, digest: str) -> dict[str, Any] | None:
    """What came of the export where it is finished and every file of it is there."""
    names = out.names()
    if not {MADE, SUMS} <= names or not set(_listed(out)) <= names:
        return None
    made = json.loads(out.read(MADE))
    facts: dict[str, Any] = made["facts"]
    return facts if made["digest"] == digest else None


def sweep(out: Store) -> None:
    """Remove what a killed export left under temporary names."""
    if out.is_local:
        for file in Path(out.full("")).rglob(f"{TEMPORARY}*"):
            if file.name not in (LOCK, LEASE):
                file.unlink()


def put_away(out: Store) -> None:
    """Remove what was of use while the export was made. The lock too: who holds it has ended its work."""
    out.remove(HOME)
    if out.is_local:
        out.remove(LOCK)


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
    return _receipt(out, _path(number))


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


def size(out: Store, numbers: Collection[int]) -> int:
    """The bytes of all files of these parts."""
    return sum(fact.bytes for number in numbers for fact in read(out, number).files)


def seal(out: Store, numbers: Iterable[int], rest: Iterable[Fact]) -> None:
    """Write SHA256SUMS over every file, in the order of the parts."""
    with out.writing(SUMS) as file:
        for fact in rest:
            file.write(f"{fact.sha256}  {fact.name}\n".encode())
        for number in numbers:
            for fact in read(out, number).files:
                file.write(f"{fact.sha256}  {fact.name}\n".encode())


def _ask(out: Store, digest: str, asked: dict[str, Any]) -> None:
    record = {"digest": digest, **asked}
    out.write(REQUEST, json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True).encode())


def _digest_in(data: bytes) -> str | None:
    """None in a file that only has the name of one of ours."""
    try:
        facts = json.loads(data)
    except ValueError:
        return None
    digest = facts.get("digest") if isinstance(facts, dict) else None
    return digest if isinstance(digest, str) else None


def _listed(out: Store) -> list[str]:
    return [line.split("  ", 1)[1] for line in out.read(SUMS).decode().splitlines()]


def _receipt(out: Store, path: str) -> Receipt:
    facts = json.loads(out.read(path))
    files = [Fact(*f) for f in facts["files"]]
    return Receipt(files, facts["rows"], facts["silent"], facts["examples"])


def _path(number: int) -> str:
    return f"{HOME}/parts/{number:06d}.json"
