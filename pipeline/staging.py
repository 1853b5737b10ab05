"""Models that lie far away, brought to this machine once: by whichever process comes first, for all of them.

A copy is made under a temporary name, held against what its source says of it, and renamed. Its name holds a
digest of the source's listing, so that a model that changed there is another one here.
"""

from __future__ import annotations

import base64
import fcntl
import glob
import hashlib
import os
import platform
import posixpath
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.filesystems import opened, patiently, reason, redacted

STAGE_FOLDER = "SPEECHCRAFT_STAGE"
"""Where copies are kept: a folder on the machine's own disk."""
SUMS = "SHA256SUMS"
"""What `sha256sum` prints of the files beside it."""
STALE_S = 86_400.0
"""After so long without a byte nobody is at work on a copy."""


class StagingError(UsageError):
    """A model that lies far away cannot be brought here, or is not what its source says it is."""


def is_far(name: str) -> bool:
    """Whether a name is a url: what `file://` names is copied too, from a disk that many machines share."""
    return "://" in name


def staged(url: str) -> Path | None:
    """A copy of the folder or file on this machine; None where there is nothing at the url.

    Raises StagingError where it cannot be had whole.
    """
    try:
        fs, root = opened(url)
        listed = patiently(lambda: _listed(fs, root))
    except (OSError, ValueError, ImportError) as error:
        raise StagingError(f"The model at {redacted(url)} cannot be read: {reason(error)}.") from error
    if not listed:
        return None
    folder = _stage() / _name(url, listed)
    final = folder / posixpath.basename(root) if root in listed else folder
    if not final.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder) as surely:
            if surely:
                _clear(folder)
            if not folder.exists():
                _copy(fs, root, listed, folder, redacted(url))
    return final


def _stage() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "speechcraft" / "models"
    return Path(os.environ.get(STAGE_FOLDER) or cache).expanduser()


def _listed(fs: Any, root: str) -> Mapping[str, Mapping[str, Any]]:
    """Every file at or below a path, with what the file system tells of it."""
    with suppress(FileNotFoundError):
        found: Mapping[str, Mapping[str, Any]] = fs.find(root, detail=True)
        return found
    return {}


def _name(url: str, listed: Mapping[str, Mapping[str, Any]]) -> str:
    """Of the copy: what it is a copy of, and in which state."""
    digest = hashlib.blake2b(url.encode(), digest_size=8)
    for path, facts in sorted(listed.items()):
        version = next(
            (facts[key] for key in ("ETag", "etag", "md5Hash", "mtime", "created") if key in facts), ""
        )
        digest.update(f"\0{path}\0{facts.get('size')}\0{version}".encode())
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", posixpath.basename(url.rstrip("/")))
    return f"{words}-{digest.hexdigest()}"


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """No other process of this machine makes the copy meanwhile; false where that cannot be promised.

    On a file system without locks two may copy, and one copy stays.
    """
    with folder.with_name(f"{folder.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True


def _clear(folder: Path) -> None:
    """Remove unfinished copies that were left behind: other machines may be at work on theirs for a day."""
    for left in folder.parent.glob(f".tmp-{glob.escape(folder.name)}-*"):
        if left.name.startswith(_of_this_machine(folder)) or time.time() - _written(left) > STALE_S:
            shutil.rmtree(left, ignore_errors=True)


def _written(left: Path) -> float:
    """When a copy got its last byte, in s since 1970; 0 where it has got its name, or gone, meanwhile."""
    last = 0.0
    for folder, _, files in os.walk(left):  # unlike rglob it takes no notice of a folder that goes
        for path in (Path(folder), *(Path(folder) / name for name in files)):
            with suppress(FileNotFoundError):
                last = max(last, path.lstat().st_mtime)
    return last


def _of_this_machine(folder: Path) -> str:
    return f".tmp-{folder.name}-{platform.node()}-"


def _copy(fs: Any, root: str, listed: Mapping[str, Mapping[str, Any]], folder: Path, url: str) -> None:
    temporary = folder.with_name(f"{_of_this_machine(folder)}{uuid.uuid4().hex}")
    base = posixpath.dirname(root) if root in listed else root
    try:
        for path, facts in listed.items():
            file = temporary / posixpath.relpath(path, base)
            if not file.resolve().is_relative_to(temporary.resolve()):
                raise StagingError(f"The model at {url} names a file outside of it.")
            file.parent.mkdir(parents=True, exist_ok=True)
            patiently(lambda path=path, file=file: fs.get_file(path, str(file)))  # type: ignore[misc]
            _prove(file, facts, url)
        _prove_sums(temporary, url)
        with suppress(FileExistsError):
            temporary.rename(folder)
    except OSError as error:
        if folder.exists():  # another machine's process, on a disk both see
            return
        raise StagingError(
            f"The model at {url} cannot be copied to {folder.parent}: {reason(error)}."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _prove(file: Path, facts: Mapping[str, Any], url: str) -> None:
    """StagingError where a file is not of the size and the MD5 that its source lists.

    S3's ETag is not held against it: that of an encrypted object looks like an MD5 and is none.
    """
    size, there = facts.get("size"), file.stat().st_size
    if size is not None and there != size:
        raise StagingError(f"{file.name} of the model at {url} came as {there} bytes of {size}.")
    md5 = facts.get("md5Hash")
    if isinstance(md5, str) and base64.b64decode(md5).hex() != _digest(file, "md5"):
        raise StagingError(f"{file.name} of the model at {url} is not what its source says: another MD5.")


def _prove_sums(folder: Path, url: str) -> None:
    """StagingError where a file is not as SHA256SUMS beside it says, or is not there."""
    if not (folder / SUMS).is_file():
        return
    for line in (folder / SUMS).read_text("utf-8").splitlines():
        wanted, _, name = line.partition(" ")
        file = folder / name.strip().lstrip("*")
        if not file.is_file():
            raise StagingError(f"The model at {url} lacks {file.name}, which its {SUMS} names.")
        if _digest(file, "sha256") != wanted:
            raise StagingError(f"{file.name} of the model at {url} is not what its {SUMS} says.")


def _digest(file: Path, kind: str) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, kind).hexdigest()
