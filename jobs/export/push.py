"""Sending an export to the Hugging Face hub, in commits of some files each; what is there is not sent again.

The checksums go first and mark the repository as an export's; the data follows; the card and the final
checksums come last, with the removal of what an earlier export left. Until then the earlier card stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.export.card import CARD
from jobs.export.ledger import MADE, SUMS
from jobs.export.plan import DROPPED
from pipeline.errors import RunError, SpeechcraftError
from pipeline.storage import Store

if TYPE_CHECKING:
    from huggingface_hub import HfApi

COMMIT_FILES = 50
"""The hub asks for 50 to 100 files a commit. Objects of a commit that failed stay uploaded."""
LAST = (DROPPED, MADE, CARD, SUMS)
OWN = {".gitattributes", ".gitignore", "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt"}
"""What a repository may hold beside an export."""
_MEANING = {
    401: "the token is not valid",
    403: "the token may not write there",
    404: "it does not exist, or the token may not see it",
    413: "it refuses files as large as these",
}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was sent, and what was there."""

    repo: str
    url: str
    sent: int
    present: int
    removed: int


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    sha256: str


def push(out: Store, repo: str, say: Callable[[str], None], *, private: bool = False) -> Pushed:
    """Send a finished export to the dataset repository `repo` (`org/name`), which is made if it is missing.

    The token is that of `hf auth login` or HF_TOKEN, the hub that of HF_ENDPOINT. Raises RunError in one
    sentence; what was committed stays, and the same call goes on behind it.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    if api.token is None:
        from huggingface_hub import get_token

        if get_token() is None:
            raise RunError("There is no token for the hub: run `hf auth login`, or set HF_TOKEN.")
    with _told(repo):
        url = api.create_repo(repo, repo_type="dataset", private=private or None, exist_ok=True)
        return _Push(api, out, str(url.repo_id), say).run(str(url))


class _Push:
    def __init__(self, api: HfApi, out: Store, repo: str, say: Callable[[str], None]) -> None:
        self._api, self._out, self._repo, self._say = api, out, repo, say
        self._files = _listed(out)
        self._there = {
            entry.path: entry
            for entry in api.list_repo_tree(repo, repo_type="dataset", recursive=True)
            if hasattr(entry, "blob_id")
        }

    def run(self, url: str) -> Pushed:
        first = () if SUMS in self._there else (SUMS,)
        if first:
            self._claim()
        missing = [f for f in self._files if not self._is_there(f)]
        rest = [f for f in missing if f.name in LAST and f.name not in first]
        data = sorted((f for f in missing if f not in rest), key=lambda f: f.name not in first)
        for start in range(0, len(data), COMMIT_FILES):
            part = data[start : start + COMMIT_FILES]
            self._commit(part, f"Data, {start + len(part)} of {len(data)} files")
        stale = self._stale()
        if rest or stale:
            self._commit(rest, "Card and checksums", stale)
        return Pushed(self._repo, url, len(missing), len(self._files) - len(missing), len(stale))

    def _claim(self) -> None:
        """RunError where the repository is not an export's and not empty."""
        others = sorted(self._there.keys() - OWN)
        if others:
            raise RunError(f"{self._repo} holds other files than an export, {others[0]} among them.")

    def _stale(self) -> list[str]:
        """What an earlier export left: files in the folders of this one that are not of this one."""
        ours = {f.name for f in self._files}
        folders = {name.partition("/")[0] for name in ours if "/" in name}
        left = [name for name in self._there.keys() - ours if "/" in name]
        return sorted(name for name in left if name.partition("/")[0] in folders)

    def _is_there(self, file: _File) -> bool:
        entry = self._there.get(file.name)
        if entry is None:
            return False
        if entry.lfs is not None:
            return bool(entry.lfs.sha256 == file.sha256)
        data = self._out.read(file.name)
        return bool(entry.blob_id == hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest())

    def _commit(self, files: Sequence[_File], message: str, remove: Sequence[str] = ()) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        changes: list[Any] = [CommitOperationDelete(name) for name in remove]
        for file in files:
            added = CommitOperationAdd(file.name, self._content(file.name))
            self._api.preupload_lfs_files(self._repo, [added], repo_type="dataset")  # one in memory at a time
            changes.append(added)
        self._api.create_commit(self._repo, changes, commit_message=message, repo_type="dataset")
        self._say(f"{self._repo}: {message}")

    def _content(self, name: str) -> str | bytes:
        return self._out.full(name) if self._out.is_local else self._out.read(name)


def _listed(out: Store) -> list[_File]:
    """Every file of the export, by its checksums; the card and the checksums last."""
    text = out.read(SUMS)
    lines = [line.split("  ", 1) for line in text.decode().splitlines()]
    files = [_File(name, digest) for digest, name in lines]
    files.append(_File(SUMS, hashlib.sha256(text).hexdigest()))
    return sorted(files, key=lambda f: LAST.index(f.name) if f.name in LAST else -1)


@contextmanager
def _told(repo: str) -> Iterator[None]:
    """Errors of the hub in one sentence, without addresses: those of uploads hold signatures."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    except SpeechcraftError:
        raise
    except HFValidationError as error:
        raise RunError(f"{repo!r} is no name of a repository: give org/name.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        meaning = _MEANING.get(status, f"it answered {status}")
        raise RunError(f"{repo} on the hub: {meaning}. The same command goes on from there.") from None
    except Exception as error:  # those of its HTTP client have no base that others share
        raise RunError(
            f"{repo} could not be sent: {type(error).__name__}. The same command goes on from there."
        ) from None
