"""Downloading a published model into the hub's cache, or onto the shelf of models."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import fsspec

from pipeline.models import MODELS_FOLDER, ModelError, Published
from pipeline.staging import is_far


def pull(model: Published) -> None:
    """Download the model; ModelError in one sentence where that fails."""
    try:
        if model.hub == "huggingface":
            _from_hugging_face(model)
        else:
            _from_url(model)
    except ModelError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The model {model.name} could not be downloaded: {reason}") from error


def _from_hugging_face(model: Published) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(model.name, revision=model.revision, allow_patterns=list(model.files))


def _from_url(model: Published) -> None:
    """Into the shelf, under a temporary name until its checksum is right."""
    shelf = os.environ.get(MODELS_FOLDER)
    if not shelf or is_far(shelf):
        raise ModelError(f"Set {MODELS_FOLDER} to the folder that {model.name} shall be kept in.")
    folder = Path(shelf) / model.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in model.files:
        temporary = folder / f".tmp-{name}"
        url = model.url if len(model.files) == 1 else f"{model.url.rstrip('/')}/{name}"
        with fsspec.open(url, "rb") as source, temporary.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        _prove(model, temporary)
        temporary.replace(folder / name)


def _prove(model: Published, file: Path) -> None:
    if model.sha256 is None:
        return
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != model.sha256:
        file.unlink()
        raise ModelError(f"The download of {model.name} is not what it should be: its SHA-256 is {found}.")
