"""Writing an export: rows and sounds stream shard by shard into the parts of the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.export import ledger
from jobs.export.dataset import Dataset
from jobs.export.forms.base import Clip, Form, PartWriter
from jobs.export.keys import key_of
from jobs.export.ledger import Receipt
from jobs.export.plan import Part, Plan
from jobs.export.request import Request
from jobs.export.sound import Encoded, ShardSounds, sound_keys
from pipeline.engine.earlier import cause
from pipeline.errors import ClipError
from pipeline.join import root_cause
from pipeline.rundir import Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import SOUND

_WORDS = ("duration_s", "enhanced", "error")
"""What the sound of a clip depends on, beside where it is; and why there is none."""


def write_parts(
    dataset: Dataset, request: Request, plan: Plan, form: Form, columns: list[str], out: Store
) -> None:
    """Write every part that is not finished; a part is noted when its files have their names."""
    done = ledger.finished(out, (part.number for part in plan.parts))
    _Writer(dataset, request, plan, form, columns, out, done).run()


@dataclass(slots=True)
class _Open:
    """A part on its way."""

    part: Part
    writer: PartWriter
    rows: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def lacks(self, clip_id: str, error: ClipError) -> None:
        self.silent[error.code] += 1
        self.examples.setdefault(error.code, f"{clip_id}: {error}")


class _Writer:
    def __init__(
        self,
        dataset: Dataset,
        request: Request,
        plan: Plan,
        form: Form,
        columns: list[str],
        out: Store,
        done: set[int],
    ) -> None:
        self._dataset, self._request, self._plan, self._form = dataset, request, plan, form
        self._columns, self._out = columns, out
        self._keys = sound_keys(dataset.record)
        self._names = dataset.store.names() if request.sound != "native" else set[str]()
        self._pending = np.zeros(len(plan.parts) + 1, bool)
        self._pending[[p.number for p in plan.parts if p.number not in done]] = True
        self._open: dict[int, _Open] = {}

    def run(self) -> None:
        """Parts of one split follow each other, so that at most one of each split is open."""
        if not self._pending.any():
            return
        words = [name for name in _WORDS if name in self._dataset.schema.names]
        start = 0
        try:
            for shard, rows in self._dataset.by_shard([*self._columns, *words]):
                numbers = self._plan.part_of[start : start + shard.clips]
                start += shard.clips
                if self._pending[numbers].any():
                    self._shard(shard, rows, numbers.tolist())
        except BaseException as error:
            for opened in self._open.values():
                opened.writer.abandon(error)
            raise

    def _shard(self, shard: Shard, rows: pa.Table, numbers: list[int]) -> None:
        items = self._dataset.items(shard, rows)
        kept = ShardSounds(self._dataset.store, self._keys, self._names, shard)
        table = rows.select(self._columns)
        facts = rows.select([n for n in _WORDS if n in rows.column_names]).to_pylist()
        for i, (item, number) in enumerate(zip(items, numbers, strict=True)):
            if not self._pending[number]:
                continue
            opened = self._opened(number)
            sound = self._sound(opened, kept, i, item, facts[i])
            where = {
                "audio": item.audio.url,
                "audio_part": item.audio.part,
                "offset_s": item.audio.offset_s,
            }
            opened.writer.add(Clip(item.id, key_of(item.id), table.slice(i, 1), sound, where))
            opened.rows += 1
            if opened.rows == opened.part.rows:
                self._finish(opened)

    def _opened(self, number: int) -> _Open:
        if number not in self._open:
            part = self._plan.parts[number]
            self._open[number] = _Open(part, self._form.open(part))
        return self._open[number]

    def _sound(
        self, opened: _Open, kept: ShardSounds, i: int, item: Item, facts: Mapping[str, Any]
    ) -> Encoded | None:
        """The clip's sound, or None with the reason noted: what the run could not decode nobody can."""
        if self._request.audio != "embed":
            return None
        try:
            if "duration_s" in facts and facts["duration_s"] is None:
                raise _undecoded(facts.get("error"))
            return kept.of(self._request.sound, i, item, enhanced=bool(facts.get("enhanced")))
        except ClipError as error:
            opened.lacks(item.id, error)
            return None

    def _finish(self, opened: _Open) -> None:
        files = opened.writer.finish()
        del self._open[opened.part.number]
        receipt = Receipt(files, opened.rows, dict(opened.silent), opened.examples)
        ledger.note(self._out, opened.part.number, receipt)


def _undecoded(error: str | None) -> ClipError:
    """Why the run has no sound of a clip, as its row says, or that it does not say."""
    family, _, said = root_cause(error or "").partition(": ")
    code, reason = cause(said)
    if family == SOUND and code:
        return ClipError(code, reason)
    return ClipError("not_decoded", "The run could not decode its sound.")
