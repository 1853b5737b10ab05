"""What a source yields: one item per clip or recording, in a fixed order, none dropped.

A part says where inside `AudioRef.url` the encoded sound file lies:

`tar:OFFSET+SIZE`
    Bytes OFFSET..OFFSET+SIZE of the file, as they are: a whole sound file stored in an uncompressed
    tar archive. OFFSET is that of the data, not of the tar header.
`row:N:COLUMN`
    Row N, counted from 0 over the whole file (over all row groups of a `.parquet` file, over all
    record batches of an `.arrow` file in IPC stream or file format). COLUMN is a top-level column, and
    everything after the second colon, so it may itself hold colons. Its value is binary, or a struct
    whose child `bytes` is binary: a whole sound file.

Without a part the file itself is the sound. A local url is an absolute path without a scheme; every
other url is one that fsspec opens.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar

from pipeline.clip import AudioRef, Given
from pipeline.errors import ClipError
from pipeline.filesystems import redacted
from pipeline.review.corrections import Correction
from pipeline.source.untaken import Tally, Untaken

NOWHERE = AudioRef("")
"""The sound of an item that names none."""
ACCEPTED = (
    "a source is a folder of sound files, a manifest (.jsonl, .csv, .tsv, .parquet), WebDataset shards "
    "(.tar), a Hugging Face dataset (a folder, or hf:ORG/NAME), a Kaldi data folder or a Lhotse manifest"
)
NOTHING_GIVEN = Given()
PROBLEMS = frozenset(
    [
        *("ark", "bad_file", "bad_line", "bad_path", "bad_span", "bad_text", "channel", "duplicate_id"),
        *("no_audio", "pipe", "transform", "unsupported_cut"),
    ]
)
"""The codes of an item's `problem`: nothing but another source mends it."""

_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Item:
    """One clip, or one recording that is still to be cut.

    `recording_s` is the length of the whole file in seconds where the source tells. `problem` says why
    nothing can be made of the item; it still counts as one. `corrections` are what people say of it;
    `untaken` are labels that do not count as given.
    """

    id: str
    audio: AudioRef
    given: Given = NOTHING_GIVEN
    recording_s: float | None = None
    problem: ClipError | None = None
    corrections: tuple[Correction, ...] = ()
    untaken: tuple[Untaken, ...] = ()


@dataclass(frozen=True, slots=True)
class Unnamed(Item):
    """An item the source gives no id: where the one made up is taken, another is, without a problem."""


class Source(ABC):
    """Iterating yields every item, lazily and each time in the same order; ids are unique.

    The constructor raises SourceError for what cannot be read at all, and iterating does for a subfolder
    that cannot be listed; all else that goes wrong is one item's `problem`.
    """

    form: ClassVar[str]
    """Its name in `form:PATH`."""
    ignored_columns: tuple[str, ...] = ()
    """Columns nothing is done with; an annotator never sees them."""
    untaken: Tally | None = None
    """Labels that did not count as given, of the items that were last iterated over."""

    @abstractmethod
    def _items(self) -> Iterator[Item]:
        """The items; an id may repeat."""

    def __iter__(self) -> Iterator[Item]:
        """The items, every id its own."""
        ids, tally = _Ids(), Tally()
        self.untaken = tally
        for item in self._items():
            if item.untaken:
                tally.add(item.untaken)
            yield ids.settle(item)


class _Ids:
    """Which ids are taken, and by which item. Holds 8 bytes of digest per id, not the id."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}  # digest -> number of the item; 2 million take 233 MB
        self._repeats: dict[int, int] = {}  # digest -> highest suffix tried
        self._count = 0

    def settle(self, item: Item) -> Item:
        """The item under an id of its own; `duplicate_id` where the source gave it another's."""
        self._count += 1
        wanted = printable(item.id)
        key = _digest(wanted)
        first = self._first.setdefault(key, self._count)
        problem = item.problem
        if first != self._count:
            if problem is None and not isinstance(item, Unnamed):
                message = f"Item {self._count} has the id {shown(wanted)} of item {first}."
                problem = ClipError("duplicate_id", message)
            wanted = self._derived(wanted, key)
        return Item(wanted, item.audio, item.given, item.recording_s, problem)

    def _derived(self, wanted: str, key: int) -> str:
        suffix = self._repeats.get(key, 1)
        while True:
            suffix += 1
            derived = f"{wanted}#{suffix}"
            if self._first.setdefault(_digest(derived), self._count) == self._count:
                self._repeats[key] = suffix
                return derived


def printable(text: str) -> str:
    """The text with U+FFFD for what a terminal or a UTF-8 file cannot show: controls, lone surrogates."""
    return text if text.isprintable() else _UNSHOWABLE.sub("\ufffd", text)


def shown(text: str) -> str:
    """The text quoted for a message, cut where it is long, without passwords in urls."""
    short = printable(redacted(text))
    return repr(short if len(short) <= _SHOWN_CHARACTERS else short[:_SHOWN_CHARACTERS] + "…")


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
