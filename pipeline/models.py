"""Published models: where they are, whether they are whole, and what identifies them.

A model is named by its hub id, by a folder or file, or by the url of one. Looking it up never asks a hub:
first the name as a path or url, then `$SPEECHCRAFT_MODELS/<id>`, then the hub's own cache. What lies at a
url, the model's or that of $SPEECHCRAFT_MODELS, is copied to this machine once. `speechcraft models pull` is
the only thing that downloads from a hub.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import UsageError
from pipeline.filesystems import redacted
from pipeline.staging import StagingError, is_far, staged

MODELS_FOLDER = "SPEECHCRAFT_MODELS"
_NAMED = 5  # keys in a message

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of every tensor of a checkpoint, by its key."""


class ModelError(UsageError):
    """A model is missing, incomplete or not the model it should be."""


@dataclass(frozen=True, slots=True)
class Published:
    """A model as its makers publish it.

    `name` is what a person writes: a hub id, or the path of a copy. `files` must all be there; the
    largest comes first. `size_bytes` is the size of a download. `commercial=False`: the licence
    forbids commercial use, or nobody stated one that allows it.
    """

    name: str
    files: tuple[str, ...]
    licence: str
    commercial: bool
    size_bytes: int
    about: str
    hub: Literal["huggingface", "modelscope", "url"] = "huggingface"
    url: str = ""
    revision: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """A model on this machine. `identity` is the hub's revision, or a digest of the files."""

    published: Published
    folder: Path
    identity: str


def locate(model: Published) -> Located:
    """Where the model is; ModelError naming what is missing and how to get it."""
    try:
        folder, revision = _folder(model)
    except StagingError as error:
        raise ModelError(str(error)) from error
    missing = [name for name in model.files if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"The model {model.name} in {folder} lacks {', '.join(missing)}.")
    empty = [name for name in model.files if (folder / name).stat().st_size == 0]
    if empty:
        raise ModelError(f"The model {model.name} in {folder} is broken: {', '.join(empty)} is empty.")
    return Located(model, folder, revision or digest(folder / name for name in model.files))


def digest(files: Iterable[Path]) -> str:
    """A digest of the files' contents; remembered by path, size and time of change."""
    total = hashlib.blake2b(digest_size=8)
    for file in files:
        total.update(file.name.encode())
        total.update(_digest_of(file).encode())
    return total.hexdigest()


def compare_keys(model: str, expected: Iterable[str], found: Iterable[str]) -> None:
    """ModelError that names keys which are missing or unexpected in a checkpoint; nothing if none are."""
    wanted, there = set(expected), set(found)
    complaints = [
        f"{len(keys)} {kind} ({', '.join(sorted(keys)[:_NAMED])}{', ...' if len(keys) > _NAMED else ''})"
        for kind, keys in (("missing", wanted - there), ("unexpected", there - wanted))
        if keys
    ]
    if complaints:
        raise ModelError(f"The checkpoint of {model} does not fit: keys {' and '.join(complaints)}.")


def compare_shapes(
    model: str, expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]
) -> None:
    """ModelError where a checkpoint has other keys, or tensors of another shape, than the model."""
    compare_keys(model, expected, found)
    wrong = [f"{k} is {found[k]}, not {shape}" for k, shape in expected.items() if found[k] != shape]
    if wrong:
        raise ModelError(f"The checkpoint of {model} does not fit: {'; '.join(sorted(wrong)[:_NAMED])}.")


def safetensors_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """The keys and shapes of a safetensors file, from its header; ModelError where it is cut short."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 0 < length <= size - 8:
            raise ModelError(f"{file} is not a safetensors file, or is cut short.")
        try:
            header = json.loads(opened.read(length))
        except ValueError as error:
            raise ModelError(f"{file} is not a safetensors file, or is cut short.") from error
    header.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if 8 + length + end != size:
        raise ModelError(f"{file} is cut short: {size} bytes of {8 + length + end}.")
    return {key: tuple(entry["shape"]) for key, entry in header.items()}


def _folder(model: Published) -> tuple[Path, str | None]:
    if is_far(model.name):
        copy = staged(model.name)
        if copy is None:
            raise ModelError(f"There is no model at {redacted(model.name)}.")
        return (copy if copy.is_dir() else copy.parent), None
    path = Path(model.name).expanduser()
    if path.is_absolute() or path.exists():
        if path.is_file():
            return path.parent, None
        if path.is_dir():
            return path, None
        raise ModelError(f"There is no model at {path}.")
    shelf = os.environ.get(MODELS_FOLDER)
    if shelf and is_far(shelf):
        copy = staged(f"{shelf.rstrip('/')}/{model.name}")
        if copy is not None:
            return copy, None
    elif shelf and (Path(shelf) / model.name).is_dir():
        return Path(shelf) / model.name, None
    cached = _cached(model)
    if cached is not None:
        return cached, cached.name
    raise ModelError(
        f"The model {model.name} is not on this machine. Fetch it with 'speechcraft models pull PROFILE', "
        f"put it into ${MODELS_FOLDER}/{model.name}, or give its folder as the option."
    )


def _cached(model: Published) -> Path | None:
    """The snapshot in the hub's cache; its folder is named by the revision."""
    if model.hub != "huggingface":
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model.name, revision=model.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


def _digest_of(file: Path) -> str:
    facts = file.stat()
    note = (
        _notes()
        / hashlib.blake2b(
            f"{file.resolve()}:{facts.st_size}:{facts.st_mtime_ns}".encode(), digest_size=16
        ).hexdigest()
    )
    if note.is_file():
        return note.read_text()
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "blake2b").hexdigest()[:32]
    note.parent.mkdir(parents=True, exist_ok=True)
    temporary = note.with_suffix(f".{os.getpid()}")
    temporary.write_text(found)
    temporary.replace(note)
    return found


def _notes() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "speechcraft" / "digests"
