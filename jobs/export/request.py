"""What an export was asked for, checked before anything is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from jobs.export.splits import SplitSpec
from pipeline.errors import UsageError, unknown

FORMS = ("hf", "parquet", "webdataset", "jsonl", "lhotse", "paper")
AUDIO = ("embed", "path", "none")
SOUND = ("native", "raw", "enhanced")
DUPLICATES = ("sound", "sound-near", "transcript", "transcript-near")
"""The near forms find exact ones, too."""
DROPS = ("hallucinated",)
FORMAT = 1
"""Raise it when the same request begins to give other bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """An export of a run.

    `audio`: embed the sound, name the source's file, or neither. `sound`: native is the source's own bytes
    where a clip is a whole file and else the span cut at its own rate, raw is the decoded mono 16 kHz,
    enhanced is what annotators heard. `split` None: everything is train. `accuracy` is the text of a
    report of `speechcraft evaluate --json`.
    """

    to: str
    audio: str = "embed"
    sound: str = "native"
    split: SplitSpec | None = None
    filter: str | None = None
    columns: tuple[str, ...] = ()
    dedupe: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    licence: tuple[str, ...] = ()
    commercial_only: bool = False
    accuracy: str | None = None

    def check(self) -> None:
        """Raises UsageError for what does not exist or does not go together."""
        _known("form", (self.to,), FORMS)
        _known("audio", (self.audio,), AUDIO)
        _known("sound", (self.sound,), SOUND)
        _known("kind of duplicate", self.dedupe, DUPLICATES)
        _known("reason to drop", self.drop, DROPS)
        if self.to == "lhotse" and self.audio != "embed":
            raise UsageError("Lhotse manifests point at sound files: they go with --audio embed only.")
        if self.to == "paper" and self.audio == "path":
            raise UsageError("The paper's form goes with --audio embed or none, not with path.")
        if self.audio != "embed" and self.sound != "native":
            raise UsageError(f"--sound {self.sound} is sound to embed: it does not go with {self.audio}.")

    def digest(self, inputs: str) -> str:
        """Of the request and of the dataset it is made from: another one, other files."""
        facts = json.dumps([FORMAT, inputs, asdict(self)], sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()


def _known(kind: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise unknown(kind, value, known)
