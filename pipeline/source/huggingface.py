"""A Hugging Face dataset: a saved folder, a folder of Parquet or Arrow files, or a name on the hub."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pipeline.errors import ClipError, SourceError
from pipeline.options import Option
from pipeline.source.base import NOWHERE, Item, Source, Unnamed, shown
from pipeline.source.place import Place, reason
from pipeline.source.tables import TableFile


class HuggingFaceSource(Source):
    """One item per row, file by file; embedded sound stays where it is and is pointed at.

    A url is a folder; `ORG/NAME[:CONFIG][:SPLIT]` is a dataset on the hub, taken from the local cache
    where it is there (`datasets` puts it there otherwise), so that every machine needs that cache.
    """

    form = "hf"

    def __init__(
        self,
        url: str,
        *,
        split: Annotated[str | None, Option("the only split to read; all if none is named")] = None,
        audio_root: Annotated[
            str | None, Option("where relative audio paths start; the folder of each file if none is named")
        ] = None,
    ) -> None:
        place = None if "::" in url else Place.at(url)
        is_folder = place is not None and place.is_folder()
        self._files = files_of(place, split) if place and is_folder else hub_files(url, split)
        self._root = Place.at(audio_root) if audio_root else None
        if not self._files:
            raise SourceError(f"There is no Parquet or Arrow file{_of(split)} at {shown(url)}.")
        first = TableFile(self._files[0])
        self.ignored_columns = first.ignored_columns
        if first.rows == 0 and len(self._files) == 1:
            raise SourceError(f"The dataset {shown(url)} has no rows.")

    def _items(self) -> Iterator[Item]:
        for file in self._files:
            try:
                table = TableFile(file)
            except SourceError as error:
                yield Unnamed(file.name, NOWHERE, problem=ClipError("bad_file", str(error)))
            else:
                yield from table.items((self._root or file.folder).sound)


def files_of(folder: Place, split: str | None) -> list[Place]:
    """The files of a dataset in a folder, in order: as its own notes list them, else every Parquet file."""
    if folder.child("dataset_dict.json").exists():
        splits = [str(name) for name in _json(folder.child("dataset_dict.json")).get("splits", [])]
        if split is not None and split not in splits:
            raise SourceError(f"{shown(folder.url)} has no split {shown(split)}; it has {', '.join(splits)}.")
        return [f for name in splits if split in (None, name) for f in _saved(folder.child(_last(name)))]
    if folder.child("state.json").exists():
        return _saved(folder)
    found = list(_joined(folder)) or list(_below(folder, depth=3))
    return [place for place in found if split is None or _is_of(place, split)]


def hub_files(name: str, split: str | None) -> list[Place]:
    """The Arrow files in the local cache of a dataset of the hub."""
    repository, _, rest = name.partition(":")
    config, _, named_split = rest.partition(":")
    split = named_split or split
    if split and "[" in split:
        raise SourceError(f"The split {shown(split)} is a piece of a split; whole splits are read.")
    found = _load(repository, config or None, split or None)
    parts = list(found.values()) if isinstance(found, dict) else [found]
    return [Place.at(file["filename"]) for part in parts for file in part.cache_files]


def _load(repository: str, config: str | None, split: str | None) -> Any:
    """The dataset from the cache, without a question to the hub; from the hub where it is not there."""
    import datasets

    try:
        with _offline(datasets):
            return datasets.load_dataset(repository, config, split=split)
    except Exception:  # whatever the cache lacks, the hub may have; its own error is the one to show
        try:
            return datasets.load_dataset(repository, config, split=split)
        except Exception as error:
            raise SourceError(
                f"The dataset {shown(repository)} cannot be loaded: {reason(error)}."
            ) from error


@contextmanager
def _offline(datasets: Any) -> Iterator[None]:
    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _saved(folder: Place) -> list[Place]:
    """The files of one split saved by `save_to_disk`, as its state.json lists them."""
    state = _json(folder.child("state.json"))
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise SourceError(
            f"{shown(folder.url)} was saved with a selection of rows; save it again to apply it."
        )
    files = [file for file in state.get("_data_files") or [] if isinstance(file, dict)]
    return [folder.child(_last(str(file.get("filename")))) for file in files]


def _joined(folder: Place) -> Iterator[Place]:
    """The files of a run's dataset, as its index.json lists them: others there are of an earlier state."""
    if not folder.child("index.json").exists():
        return
    for file in _json(folder.child("index.json")).get("files") or []:
        generation, slash, name = str(file.get("name") if isinstance(file, dict) else "").partition("/")
        if slash and _last(name) == name and generation not in ("", ".", ".."):
            yield folder.child(generation).child(name)


def _below(folder: Place, depth: int) -> Iterator[Place]:
    for entry in folder.entries():
        if entry.is_folder and depth:
            yield from _below(folder.to(entry.path), depth - 1)
        elif not entry.is_folder and entry.name.endswith((".parquet", ".arrow")):
            yield folder.to(entry.path)


def _is_of(place: Place, split: str) -> bool:
    """Whether a file belongs to a split by its name (train-00000-of-00002.parquet) or its folder's."""
    return place.folder.name == split or posixpath.splitext(place.name)[0].partition("-")[0] == split


def _json(place: Place) -> dict[str, Any]:
    try:
        with place.opened() as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{shown(place.url)} cannot be read: {reason(error)}.") from error
    return value if isinstance(value, dict) else {}


def _last(name: str) -> str:
    """A name without folders: a dataset's notes name files of its own folder only."""
    return posixpath.basename(name)


def _of(split: str | None) -> str:
    return f" of the split {shown(split)}" if split else ""
