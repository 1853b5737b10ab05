"""The release form of the SpeechCraft paper: descriptions, instructions and labels, per language.

From the paper: two versions of the text, Description (style without the words) and Instruction (with the
transcript in it), for each language; and the labels it names: pitch, energy, speed, age, gender,
emotion, emphasis, topic and transcript. Ours: that they are JSON lines joined by `id`, the file names,
and that a label which is not known is null. Age is the age group; emotion is the sentence where a model
writes one, else the class.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa

from jobs.export.forms.base import Clip, Fact, Hashed, Layout, hashing
from jobs.export.forms.jsonl import sound_file
from jobs.export.gate import Reason
from jobs.export.plan import Part
from pipeline.errors import UsageError
from pipeline.join import root_cause
from pipeline.rundir import Shard

KINDS = ("descriptions", "instructions", "labels")
LABELS = {
    "gender": ("gender",),
    "age": ("age_group",),
    "pitch": ("pitch_label",),
    "energy": ("energy_label",),
    "speed": ("speed_label",),
    "emotion": ("emotion_caption", "emotion"),
    "emphasis": ("emphasis_word",),
    "topic": ("topic",),
    "transcript": ("transcript",),
}
"""The paper's labels, and the columns that hold them, the first that is known counting."""
NEEDS = ("description", "caption_language")


class CaptionGate:
    """Drops clips without a caption, such as those that failed: the form would hold nothing of them."""

    def __init__(self, have: Sequence[str]) -> None:
        self.columns: Sequence[str] = [name for name in ("description", "error") if name in have]

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row without a description, and why it has none."""
        if "description" not in self.columns:
            return [None] * rows.num_rows
        pairs = zip(*(rows.column(name).to_pylist() for name in ("description", "error")), strict=True)
        return [Reason("caption", root_cause(e or "it has none")) if d is None else None for d, e in pairs]


class PaperForm:
    """Parts as three files per language of the captions and a folder of sound.

    UsageError where captions or their language are not exported.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        for name in NEEDS:
            if name not in layout.schema.names:
                raise UsageError(f"The paper's form holds captions, and the column {name} is not exported.")

    def open(self, part: Part) -> PaperPart:
        """A part, ready for its first clip."""
        return PaperPart(self._layout, part)


class PaperPart:
    """Files come into being with the first clip of their language."""

    def __init__(self, layout: Layout, part: Part) -> None:
        self._layout, self._part = layout, part
        self._stack = ExitStack()
        self._files: dict[str, Hashed] = {}
        self._sounds: list[Fact] = []

    def add(self, clip: Clip) -> None:
        """The next clip: its sound first. Where there is no instruction it has no line of that kind."""
        row: dict[str, Any] = clip.row.to_pylist()[0]
        language = row["caption_language"]
        name = sound_file(self._layout, self._part, clip, self._sounds)
        for kind, column in (("descriptions", "description"), ("instructions", "instruction")):
            if row.get(column) is not None:
                self._write(language, kind, {"id": clip.id, column: row[column]})
        labels = {label: _first(row, columns) for label, columns in LABELS.items()}
        self._write(language, "labels", {"id": clip.id, "audio": name, **labels})

    def finish(self) -> list[Fact]:
        """The files, complete, and the sounds."""
        self._stack.close()
        return [*(file.fact(name) for name, file in sorted(self._files.items())), *self._sounds]

    def abandon(self, error: BaseException) -> None:
        """Leave no file."""
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _write(self, language: str, kind: str, line: dict[str, Any]) -> None:
        name = self._part.name(".jsonl", f"{language}/{kind}")
        if name not in self._files:
            self._files[name] = self._stack.enter_context(hashing(self._layout.out, name))
        self._files[name].write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _first(row: dict[str, Any], columns: tuple[str, ...]) -> Any:
    return next((row[c] for c in columns if row.get(c) is not None), None)
