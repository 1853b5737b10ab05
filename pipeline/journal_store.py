"""What a service answered of a shard that is not finished: one line an answer, so that a kill costs none.

It lies beside the sidecar, `<key>/<shard>.answers/<part>.jsonl`, and goes when the sidecar is there. A part
belongs to one writer. Locally each line is appended as it comes; object storage cannot append, so there
a part holds what came within about a second, and a kill costs that second.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.journal import Journal
from pipeline.rundir import ANSWERS
from pipeline.storage import Store

FLUSH_S = 1.0
"""How long an answer may wait for its part on object storage."""


@contextmanager
def opened(store: Store, folder: str) -> Iterator[Journal]:
    """The journal in that folder of the store, with all that earlier writers kept."""
    journal = _LocalJournal(store, folder) if store.is_local else _RemoteJournal(store, folder)
    try:
        yield journal
    finally:
        journal.close()


def sweep(store: Store, key: str) -> None:
    """Remove the journals of an annotator's finished shards, which a kill left behind."""
    names = store.names(key)
    folders = {name.partition(f"{ANSWERS}/")[0] for name in names if f"{ANSWERS}/" in name}
    for stem in folders:
        if f"{stem}.parquet" in names:
            store.remove(f"{stem}{ANSWERS}")


class _StoredJournal(Journal):
    def __init__(self, store: Store, folder: str) -> None:
        super().__init__()
        self._store, self._folder = store, folder
        for name in sorted(store.names(folder)):
            with suppress(FileNotFoundError):  # whoever finished the shard meanwhile removes its journal
                self._answers.update(_read(store.read(name)))

    def _part(self) -> str:
        """The name of a part nobody else writes."""
        return f"{self._folder}/{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.jsonl"


class _LocalJournal(_StoredJournal):
    def __init__(self, store: Store, folder: str) -> None:
        super().__init__(store, folder)
        self._file: int | None = None

    def _write(self, line: bytes) -> None:
        """Appended at once: what the kernel has outlives this process."""
        try:
            if self._file is None:
                path = Path(self._store.full(self._part()))
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            os.write(self._file, line)
        except OSError as error:
            raise self._store.unusable("written", error) from error

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)


class _RemoteJournal(_StoredJournal):
    def __init__(self, store: Store, folder: str) -> None:
        super().__init__(store, folder)
        self._lines: list[bytes] = []
        self._flushed_s = time.monotonic()
        self._thread = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def _write(self, line: bytes) -> None:
        self._lines.append(line)
        idle = self._written is None or self._written.done()
        if idle and time.monotonic() - self._flushed_s >= FLUSH_S:
            self._flush()

    def _flush(self) -> None:
        """Put what came since the last part, from a thread: an answer never waits for a put."""
        if self._written is not None:
            self._written.result()
        self._written = self._thread.submit(self._store.write, self._part(), b"".join(self._lines))
        self._lines, self._flushed_s = [], time.monotonic()

    def close(self) -> None:
        try:
            if self._lines:
                self._flush()
            if self._written is not None:
                self._written.result()
        finally:
            self._thread.shutdown()


def _read(data: bytes) -> dict[str, str]:
    """The answers of a part. A torn line is no answer: it is asked again."""
    found = {}
    for line in data.splitlines():
        try:
            question, answer = json.loads(line)
        except ValueError:
            continue
        found[question] = answer
    return found
