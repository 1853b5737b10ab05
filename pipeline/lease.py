"""Who works in a run directory: one driver at a time, told by a lock, or by a lease where there are no locks.

A local lock goes with its process, however that ends. On object storage, and on network file systems
without locks, the holder writes a lease and renews it; a lease that is not renewed for `STALE_S` is
nobody's. Neither is what keeps a run whole, as a lease may be late: temporary names are unique, final names
hold a digest of what made them, and two drivers that meet write the same bytes.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import psutil

from pipeline.errors import RunError
from pipeline.filesystems import reason
from pipeline.storage import TEMPORARY, Store

log = logging.getLogger(__name__)

LOCK = f"{TEMPORARY}lock"
LEASE = f"{TEMPORARY}lease"
RENEW_S = 10.0
STALE_S = 45.0
"""As long as four renewals in a row that fail."""
LOOK_S = 1.0
SETTLE_S = 1.0
"""After which, of two that took a stale lease in the same moment, both see whose it is."""
TAKES = 3
"""A renewal that was under way may come after a take, but not after each."""
OPENINGS = 5
"""Of a lock file that others put away in the moment it is locked."""
_TAKE_OVER = "wait until it has ended, or give --take-over where you know that it has."


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a run directory. `beat` counts renewals: no two clocks are compared."""

    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    host: str = field(default_factory=platform.node)
    process: int = field(default_factory=os.getpid)
    started: float = field(default_factory=lambda: psutil.Process().create_time())
    since: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))
    beat: int = 0

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"

    def is_gone(self) -> bool:
        """Whether it is known to have ended: a process of this machine that is not there any more."""
        if self.host != platform.node():
            return False
        try:
            return abs(psutil.Process(self.process).create_time() - self.started) > 1.0
        except psutil.Error:
            return True

    def written(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()


class Lease:
    """Held while a run is at work. `check` raises RunError once somebody else has taken it over."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._taken: str | None = None

    def lose(self, to: object) -> None:
        """Somebody else has it."""
        self._taken = str(to)

    def check(self) -> None:
        """Nothing while it is held."""
        if self._taken is not None:
            raise RunError(
                f"{self._url} was taken over by {self._taken}. This run has ended; nothing is lost."
            )


@contextmanager
def held(store: Store, *, take_over: bool | None = None) -> Iterator[Lease]:
    """Nobody else holds this folder while the block runs; RunError that names who does, if somebody does.

    `take_over` takes a lease from whoever holds it; None: nobody was asked whether to. A lock of this
    machine it cannot take: its holder lives.
    """
    lease = Lease(store.url)
    with ExitStack() as stack:
        if not (store.is_local and stack.enter_context(_locked(store))):
            stack.enter_context(_leased(store, lease, take_over))
        yield lease


@contextmanager
def _locked(store: Store) -> Iterator[bool]:
    """Whether the file system knows locks; it is then ours."""
    for _ in range(OPENINGS):
        with store.appending(LOCK) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _busy(store, _written_in(file), "wait until it has ended, or end it.") from error
            except OSError:  # a network file system without locks
                yield False
                return
            if not _is_named(store, file):  # whoever held it has put it away: another may lock the new one
                continue
            file.truncate(0)
            with suppress(OSError):  # a full disk keeps nobody from finding what is done
                file.write(Holder().written())
                file.flush()
            yield True
            return
    raise _busy(store, None, "wait until it has ended, or end it.")


def _is_named(store: Store, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), Path(store.full(LOCK)).stat())
    except FileNotFoundError:
        return False


def _written_in(file: BinaryIO) -> Holder | None:
    file.seek(0)
    return _holder(file.read())


@contextmanager
def _leased(store: Store, lease: Lease, take_over: bool | None) -> Iterator[None]:
    me = Holder()
    if not store.create(LEASE, me.written()):
        _acquire(store, me, take_over)
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(store, me, lease, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if _is_mine(store, me):
            store.remove(LEASE)


def _acquire(store: Store, me: Holder, take_over: bool | None) -> None:
    """Take the lease once its holder is gone, or at once."""
    seen = _read(store)
    if seen is not None and seen.owner == me.owner:  # our own put, answered by an error and made again
        return
    advice = "wait until it has ended." if take_over is None else _TAKE_OVER
    if not take_over:
        _wait_until_stale(store, seen, advice)
    for _ in range(TAKES):
        store.write(LEASE, me.written())
        time.sleep(SETTLE_S)
        now = _read(store)
        if now is not None and now.owner == me.owner:
            return
    raise _busy(store, now, advice)


def _wait_until_stale(store: Store, seen: Holder | None, advice: str) -> None:
    """RunError as soon as the lease is seen to be renewed."""
    first = seen
    began = time.monotonic()
    while seen is not None and not seen.is_gone() and time.monotonic() - began < STALE_S:
        time.sleep(LOOK_S)
        seen = _read(store)
        if seen is not None and seen != first:
            raise _busy(store, seen, advice)


def _renew(store: Store, me: Holder, lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(RENEW_S):
        try:
            now = _read(store)
            if now is not None and now.owner != me.owner:
                lease.lose(now)
                return
            me = replace(me, beat=me.beat + 1)
            store.write(LEASE, me.written())
        except Exception as error:  # the next renewal may come in time
            log.warning("the lease of %s was not renewed: %s", store.url, reason(error))


def _is_mine(store: Store, me: Holder) -> bool:
    with suppress(RunError):
        now = _read(store)
        return now is not None and now.owner == me.owner
    return False


def _read(store: Store) -> Holder | None:
    try:
        return _holder(store.read(LEASE))
    except FileNotFoundError:
        return None


def _holder(data: bytes) -> Holder | None:
    try:
        return Holder(**json.loads(data))
    except (ValueError, TypeError):
        return None


def _busy(store: Store, holder: Holder | None, advice: str) -> RunError:
    who = f" ({holder})" if holder else ""
    return RunError(f"Another run is at work in {store.url}{who}: {advice}")
