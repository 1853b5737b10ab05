"""The captions of a run beside what was known when they were written, clip by clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from annotators.caption._attributes import READS, attributes_of
from jobs.runs import Run
from pipeline.clip import Absent, Clip
from pipeline.manifest import read_shard
from pipeline.rows import Caption, Row
from pipeline.rundir import Shard
from prompts.check import Fault, check
from prompts.realiser import Attributes, Captions
from prompts.rewriter import PromptError, load

Language = Literal["en", "zh"]
REALISER = "realiser"
_CAPTION = "caption"


@dataclass(frozen=True, slots=True)
class Captioned:
    """A clip's captions. `prompt` is the fixed text of the prompt that asked for them; `attempts` is 0
    where no model was asked."""

    id: str
    language: Language
    attributes: Attributes
    captions: Captions
    source: str
    attempts: int = 0
    prompt: str = ""

    def faults(self) -> tuple[Fault, ...]:
        """What the check finds."""
        return check(self.captions, self.attributes, language=self.language, prompt=self.prompt)


def captioned(run: Run, shards: Sequence[Shard] | None = None) -> Iterator[Captioned | None]:
    """Every clip of the run, or of these shards of it; None where it has no caption. One shard is held
    at a time."""
    prompts = cache(lambda language: _fixed(run, language))
    read = [way for way in run.ways if way.row in (*READS, Caption)]
    for shard in run.shards if shards is None else shards:
        items = read_shard(run.store, shard)
        ways = [(way.row, run.rows(shard, way)) for way in read]
        for i, item in enumerate(items):
            found: dict[type[Row], Row | Absent] = {}
            for kind, rows in ways:
                found_row = rows[i]
                if isinstance(found_row, Row):
                    found.setdefault(kind, found_row)
            clip = Clip(item.id, item.audio, item.given, found)
            row = clip.maybe(Caption)
            yield None if row is None else _captioned(clip, row, prompts(row.caption_language))


def _captioned(clip: Clip, row: Caption, prompt: str) -> Captioned:
    return Captioned(
        clip.id,
        cast("Language", row.caption_language),
        attributes_of(clip),
        Captions(row.description, row.instruction, row.caption_attributes),
        row.caption_source,
        row.caption_attempts,
        "" if row.caption_source == REALISER else prompt,
    )


def _fixed(run: Run, language: str) -> str:
    """The fixed text of the run's prompt; of the built-in one where its file is no longer there."""
    known = cast("Language", language)
    for entry in run.record["annotators"].get(_CAPTION, ()):
        try:
            return load(str(entry["options"].get("prompt", _CAPTION)), known).fixed
        except PromptError:
            continue
    return load(_CAPTION, known).fixed
