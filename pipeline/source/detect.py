"""Which form a source has, told from its name and from what its folder holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from pipeline.errors import SourceError
from pipeline.rundir import DATASET, JOB
from pipeline.source.base import ACCEPTED, shown
from pipeline.source.folder import is_sound
from pipeline.source.lhotse import is_lhotse
from pipeline.source.manifest import json_rows, kind_of, rows_of
from pipeline.source.place import Entry, Place

_MANIFEST = re.compile(r"manifest\.(jsonl|csv|tsv|parquet|jsonl\.gz|csv\.gz|tsv\.gz)")
_CUTS = re.compile(r"cuts\.jsonl(\.gz)?")
_TABLE = re.compile(r"\.(jsonl|ndjson|json|csv|tsv)(\.gz)?$|\.parquet$", re.IGNORECASE)
_EXPORTED = re.compile(r"\.(jsonl(\.gz)?|tar)$")
_LOOKED_AT_ROWS = 20


def form_of(url: str) -> tuple[str, str]:
    """The form and the url it is read from; SourceError, saying what is accepted, where none is clear."""
    place = Place.at(url)
    if re.search(r"\.(tar|tgz|tar\.\w+)$", place.path):
        return "webdataset", url
    if place.is_folder():
        return _form_of_folder(url, place)
    if not place.exists():
        raise SourceError(f"There is nothing at {shown(url)}; {ACCEPTED}.")
    if is_sound(place.name):
        return "folder", url
    if _TABLE.search(place.name):
        return _form_of_table(place), url
    raise SourceError(f"{shown(url)} is of no form that is read; {ACCEPTED}.")


def _form_of_folder(url: str, place: Place) -> tuple[str, str]:
    entries = place.entries()
    files = [e.name for e in entries if not e.is_folder]
    described = [n for n in files if _MANIFEST.fullmatch(n) or _CUTS.fullmatch(n)]
    found = [(_form_of_table(place.child(name)), place.child(name).url) for name in described]
    if "wav.scp" in files:
        found.append(("kaldi", url))
    if "dataset_dict.json" in files or {"state.json", "dataset_info.json"} <= set(files):
        found.append(("hf", url))
    found = found or [(form, url) for form in _by_content(place, entries)]
    if len(found) > 1:
        forms = " or ".join(f"{form}:{path}" for form, path in found)
        raise SourceError(f"{shown(url)} can be read in more than one way; say which: {forms}.")
    if not found:
        _refuse_ours(url, place, entries)
    return found[0] if found else ("folder", url)


def _refuse_ours(url: str, place: Place, entries: Sequence[Entry]) -> None:
    """SourceError for a run, and for an export whose sound would be read without all that is said of it."""
    names = {e.name for e in entries}
    if names >= {JOB, DATASET}:
        raise SourceError(f"{shown(url)} is a run: give the folder '{DATASET}' in it as the source.")
    if not names >= {"export.json", "SHA256SUMS"}:
        return
    within = sorted(
        f"{folder.name}/{file.name}"
        for folder in entries
        if folder.name in ("data", "cuts")
        for file in place.to(folder.path).entries()
        if _EXPORTED.search(file.name)
    )
    if not within:
        raise SourceError(
            f"{shown(url)} is an export in which nothing says who found what: annotate what it was made of."
        )
    each = f", then each of the other {len(within) - 1}" if len(within) > 1 else ""
    root = "" if within[0].endswith(".tar") else ", with --source-option audio_root=EXPORT"
    raise SourceError(f"{shown(url)} is an export: give {shown(within[0])} in it as the source{each}{root}.")


def _by_content(place: Place, entries: Sequence[Entry]) -> list[str]:
    """The forms whose files lie at the top; Parquet may lie in `data/`, as on the hub, or in `data-.../`."""
    files = [e.name for e in entries if not e.is_folder]
    data = [e for e in entries if e.is_folder and e.name.partition("-")[0] == "data"]
    tables = [*files, *(e.name for folder in data for e in place.to(folder.path).entries())]
    forms = {
        "folder": any(map(is_sound, files)),
        "webdataset": any(name.endswith(".tar") for name in files),
        "hf": any(name.endswith((".parquet", ".arrow")) for name in tables),
    }
    return [form for form, there in forms.items() if there]


def _form_of_table(place: Place) -> str:
    if kind_of(place.name) != "jsonl":
        return "manifest"
    head = islice(rows_of(json_rows, place), _LOOKED_AT_ROWS)
    return "lhotse" if any(map(is_lhotse, head)) else "manifest"
