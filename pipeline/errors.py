"""Every error the factory raises on purpose.

SpeechcraftError
├── UsageError        what the person asked for cannot be done; one sentence, exit code 2
│   ├── OptionError   an option or annotator that does not exist, or a value out of range
│   ├── SourceError   a source that cannot be read as speech
│   └── RunError      a run directory that cannot be used
│       └── StorageError  it cannot be read or written any more: full, read-only, out of reach
├── ClipError         one clip cannot be annotated; becomes the clip's row, never stops a shard
├── TooManyFailedError   more failed than the job's limits allow; what is written stays, exit code 4
└── ShardError        one shard cannot be annotated; it is tried again, then given up
    └── LoadError     an annotator cannot be loaded; the run ends if nothing was annotated before
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MANY = 30
"""Names that are more than a person reads through."""
NEAR = 3
"""Of those, how many are proposed at most."""


class SpeechcraftError(Exception):
    """The root: catch it to catch every error raised on purpose."""


class UsageError(SpeechcraftError):
    """The request cannot be carried out; the message is one sentence a person can act on."""


class OptionError(UsageError):
    """A name or a value in the job is wrong; the message lists what exists."""


class SourceError(UsageError):
    """The source of speech cannot be read."""


class RunError(UsageError):
    """The run directory cannot be used."""


class StorageError(RunError):
    """The run directory cannot be read or written any more. What is complete stays."""


class ClipError(SpeechcraftError):
    """One clip cannot be annotated.

    `code` is a short stable word to group by (`decode`, `too_short`); the message is one sentence.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[ClipError], tuple[str, str]]:
        return type(self), (self.code, str(self))


class ShardError(SpeechcraftError):
    """One shard cannot be annotated as a whole."""


class TooManyFailedError(SpeechcraftError):
    """More failed than the job's limits allow; one sentence with the causes."""


class LoadError(ShardError):
    """An annotator of the job cannot be loaded: no shard will fare better on this machine."""


def unknown(kind: str, name: str, known: Iterable[str], listed: str = "") -> OptionError:
    """An error that names what exists, the likeliest first.

    Of more than a person reads through the likely ones, and where all are `listed`.
    """
    names = sorted(known)
    if not listed or len(names) <= MANY:
        close = get_close_matches(name, names, n=1)
        there = f"There is: {', '.join(names) or 'none'}."
    else:
        close = get_close_matches(name, names, n=NEAR, cutoff=0.7)
        close += [one for one in names if name and name.lower() in one and one not in close]
        there = f"{listed}."
    hint = f" Did you mean {' or '.join(map(repr, close[:NEAR]))}?" if close else ""
    return OptionError(f"There is no {kind} {name!r}.{hint} {there}")


def unknown_column(name: str, known: Iterable[str]) -> OptionError:
    """An error that names the columns that are like it."""
    return unknown("column", name, known, "All are in docs/columns.md")
