"""The source of a run as a command names it: apart from the run directory, and the one it has been of."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline import layout, manifest
from pipeline.counting import counted
from pipeline.errors import OptionError, RunError, SourceError
from pipeline.filesystems import redacted
from pipeline.placing import AT_ONCE, groups
from pipeline.record import read_job
from pipeline.rundir import AGAIN, CALLS, DATASET, FAILURES, JOB, MANIFEST, REPORT, SOURCE
from pipeline.source import named_form
from pipeline.source.base import Item, Source, printable
from pipeline.source.detect import form_of
from pipeline.source.place import Place
from pipeline.storage import Store

_WRITTEN = frozenset([AGAIN, CALLS, DATASET, FAILURES, MANIFEST, REPORT, "calibration", "reviews"])
_DEEP = ("folder", "hf")
"""Forms that are read from the folders in a folder too."""
_SPLIT = " split="
_HIDDEN = "***"  # in the place of a password
_THIS_MACHINE = re.compile("^(?:file|local)://(?=/)")


@dataclass(frozen=True, slots=True)
class First:
    """The first items of a source, or all; each time from the beginning."""

    source: Source
    limit: int | None = None

    def __iter__(self) -> Iterator[Item]:
        return islice(self.source, self.limit)


def options_of(record: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, object]:
    """What the source is told: the job file's `source_options`, and before them each NAME=VALUE."""
    options = record.get("source_options") or {}
    if not isinstance(options, dict):
        raise OptionError(f"'source_options' must map names to values, not {options!r}.")
    return options | dict(map(_assigned, assignments))


def _assigned(assignment: str) -> tuple[str, object]:
    name, equals, text = assignment.partition("=")
    if not equals or not name:
        raise OptionError(f"--source-option takes NAME=VALUE, not {assignment!r}.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    return name, value if isinstance(value, bool) else text


def whole_name(url: str, options: Mapping[str, object]) -> str:
    """A source under the name that it has wherever a command is given: a local path from the root on.

    A split is a source of its own: clips of two splits may have the same ids.
    """
    form, path = named_form(url) or ("", url)
    path = _THIS_MACHINE.sub("", path)
    if "://" in path:
        whole = path.rstrip("/")
    elif form == "hf" and not Path(path).exists():
        whole = path
    else:
        whole = os.path.abspath(path)  # noqa: PTH100  # a link stays as it is named
    part = f"{_SPLIT}{options['split']}" if options.get("split") else ""
    return f"{form}:{whole}{part}" if form else whole + part


def is_same(before: str, name: str) -> bool:
    """Whether what any version noted of a run's source is this `whole_name`: its form named or not, whatever
    links lead to it."""
    url, _, split = before.partition(_SPLIT)
    was = _itself(whole_name(url, {"split": split}))
    if was == redacted(_itself(name)):
        return True
    path, is_split, split = _path_in(name)
    try:
        plain, named = path + is_split + split, ":".join(form_of(path)) + is_split + split
    except SourceError:
        return False
    return name in (plain, named) and was in (redacted(_itself(plain)), redacted(_itself(named)))


def known_as(store: Store, url: str, options: Mapping[str, object]) -> str:
    """The url that a run knows its source by, where this is another name of the same: its clips are those
    that are known by their paths. Else this one."""
    before = str(read_job(store)["source"]) if store.exists(JOB) else ""
    if not before or _HIDDEN in before or not is_same(before, whole_name(url, options)):
        return url
    return whole_name(before.partition(_SPLIT)[0], {})


def _itself(name: str) -> str:
    """A name without links, and with the first of a file system's schemes: s3:// for s3a://.

    A link to a file stays: what the file names lies beside the link.
    """
    path = _path_in(name)[0]
    head, tail = name[: name.index(path)], name[name.index(path) + len(path) :]
    if "://" in path:
        with suppress(SourceError):
            path = Place.at(path).url
    elif path.startswith("/"):
        where = Path(path)
        path = str(where.resolve() if where.is_dir() else where.parent.resolve() / where.name)
    return head + path + tail


def _path_in(name: str) -> tuple[str, str, str]:
    """A name without its form: the path, and the split as it follows."""
    url, is_split, split = name.partition(_SPLIT)
    return (named_form(url) or ("", url))[1], is_split, split


def check_apart(source: Source, url: str, out: str) -> None:
    """RunError where the run would write among the files it reads, or read what it wrote."""
    _, path = named_form(url) or ("", url)
    if not out or "::" in path or not (place := Place.at(path)).is_folder():
        return
    target = Place.at(out)
    if place.fs.protocol != target.fs.protocol:
        return
    read, written = _real(place), _real(target)
    if read == written:
        raise RunError(f"{_named(out)} is the source itself: give an --out that is another folder.")
    if written.startswith(f"{read}/") and source.form in _DEEP and "/." not in written[len(read) :]:
        raise RunError(
            f"{_named(out)} lies in the source {_named(url)}, where the next call would take what this one "
            "writes for clips: give an --out outside of it."
        )
    first = read.removeprefix(f"{written}/").partition("/")[0] if read.startswith(f"{written}/") else ""
    if first in _WRITTEN or "@" in first:
        raise RunError(f"{_named(url)} is written by the run in {_named(out)} itself: give another --out.")


def _real(place: Place) -> str:
    return os.path.realpath(place.path) if place.is_local else place.path.rstrip("/")


def check_same(
    store: Store, items: Iterable[Item], name: str, limit: int | None, *, replace: bool = False
) -> None:
    """RunError where clips of a run would leave its dataset because another source, or less of it, is named.

    Under the name it has had, a source may have grown, changed and lost clips, but not all of them; under
    another `whole_name` it must hold every clip of the run as it is, wherever the folder of both now lies.
    Unless it is to `replace` them.
    """
    before = str(read_job(store)["source"]) if store.exists(JOB) else ""
    old = layout.read(store, SOURCE) if before and not replace else layout.Layout()
    clips = len(old.ids)
    if not clips:
        return
    if is_same(before, name):
        if limit is not None and limit < clips:
            raise RunError(
                f"The run in {store.url} has {counted(clips, 'clip')} of {_named(before)}, and --limit "
                f"{limit} would take {clips - limit:,} of them out of its dataset: {_GO_ON}."
            )
        if not _any_is_in(items, old.ids):
            raise RunError(
                f"Its source {_named(before)} has none of the {counted(clips, 'clip')} of the run in "
                f"{store.url} any more: {_GO_ON}."
            )
        return
    moved = _moved(before, name)
    lines = [
        np.array([manifest.line_digest(i) for item in group for i in moved(item)], np.uint64)
        for group in groups(items, AT_ONCE)
    ]
    held = int(np.isin(old.lines, np.concatenate(lines)).sum()) if lines else clips
    if held < clips:
        raise RunError(
            f"The run in {store.url} is of {_named(before)}, and {_named(name)} has {held:,} of its "
            f"{counted(clips, 'clip')} as they are: {_GO_ON}."
        )


def _moved(before: str, name: str) -> Callable[[Item], tuple[Item, ...]]:
    """Gives an item, and it with its sound where that was if its source moved from one name to the other."""
    old, new = (_path_in(one)[0].split("/") for one in (before, name))
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    was, now = "/".join([*old, ""]), "/".join([*new, ""])

    def both(item: Item) -> tuple[Item, ...]:
        if not item.audio.url.startswith(now):
            return (item,)
        audio = replace(item.audio, url=was + item.audio.url.removeprefix(now))
        return item, replace(item, audio=audio)

    return both


def _named(url: str) -> str:
    """Whole, since somebody must find it again."""
    return repr(printable(redacted(url)))


_GO_ON = "give another --out, or --replace-source to have the dataset there replaced"


def _any_is_in(items: Iterable[Item], ids: layout.Digests) -> bool:
    """Whether any item has one of these ids; true too where there are none, which is an error of its own."""
    empty = True
    for group in groups(items, AT_ONCE):
        empty = False
        if np.isin(np.array([manifest.id_digest(item.id) for item in group], np.uint64), ids).any():
            return True
    return empty
