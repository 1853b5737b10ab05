"""The rows of the dataset as people left them: what they corrected in place, and a word on each judgement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipeline import sidecar
from pipeline.annotator import Skip
from pipeline.clip import Absent
from pipeline.review.amend import read_shards
from pipeline.review.corrections import corrected, families
from pipeline.review.judgements import REVIEWS, Judgement, OfClip, decided, heard_as, read, standing
from pipeline.rows import Row
from pipeline.rundir import Shard
from pipeline.schema import from_table
from pipeline.source.base import Item
from pipeline.storage import Store

REVIEW_TYPE = pa.list_(
    pa.struct([("attribute", pa.string()), ("verdict", pa.string()), ("reviewers", pa.int64())])
)
"""Of the column `review`. Who judged is not in it: a dataset is published, a name is not."""
_WORDS = {"accept": "confirmed", "reject": "rejected", "correct": "corrected"}


@dataclass(slots=True)
class Reviewed:
    """What was said of the clips of a run, and the rows of those that were corrected."""

    standing: Mapping[str, OfClip] = field(default_factory=dict)
    shards: Sequence[Shard] = ()
    _rows: dict[str, tuple[pa.Table, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, store: Store) -> Reviewed:
        """As it is in the run; nothing where nobody reviewed it."""
        if not store.names(REVIEWS):
            return cls()
        return cls(standing(read(store)), read_shards(store))

    def digest(self) -> str:
        """Of all that was said: the same judgements, the same digest."""
        said = [
            [clip, attribute, who, j.verdict, j.value, j.correction, j.place, j.at, j.sound]
            for clip, of in sorted(self.standing.items())
            for attribute, by in sorted(of.items())
            for who, j in sorted(by.items())
        ]
        return hashlib.blake2b(json.dumps(said).encode(), digest_size=12).hexdigest() if said else ""

    def take(self, tables: Iterator[pa.Table]) -> None:
        """The rows of the shards of corrected clips, in the columns of the dataset."""
        for table in tables:
            for i, clip in enumerate(table.column("id").to_pylist()):
                self._rows[str(clip)] = (table, i)

    def over(self, table: pa.Table) -> pa.Table:
        """The rows of the dataset with the corrected ones in place, and the column `review` filled."""
        ids = [str(clip) for clip in table.column("id").to_pylist()]
        changed = {i: self._rows[clip] for i, clip in enumerate(ids) if clip in self._rows}
        if changed:
            rows = [held.slice(n, 1) for held, n in changed.values()]
            order = list(range(len(ids)))
            for k, i in enumerate(changed):
                order[i] = len(ids) + k
            table = pa.concat_tables([table, *rows]).take(pa.array(order, pa.int64()))
        if not any(clip in self.standing for clip in ids):
            return table
        marks = [self._marks(clip, i, table) for i, clip in enumerate(ids)]
        at = table.schema.get_field_index("review")
        return table.set_column(at, table.schema.field(at), pa.array(marks, REVIEW_TYPE))

    def _marks(self, clip: str, i: int, table: pa.Table) -> list[dict[str, Any]] | None:
        """What of the row people vouch for. What was said of a value that has changed since is left out."""
        if clip not in self.standing:
            return None
        names = {*self.standing[clip], "sound_hash"} & set(table.column_names)
        row = {name: table.column(name)[i].as_py() for name in names}
        marks = []
        for attribute, by in heard_as(self.standing[clip], row.get("sound_hash")).items():
            one = decided(by)
            if attribute in row and _stands(one, row[attribute]):
                like = sum(j.verdict == one.verdict for j in by.values())
                marks.append({"attribute": attribute, "verdict": _WORDS[one.verdict], "reviewers": like})
        return sorted(marks, key=lambda mark: str(mark["attribute"])) or None


def _stands(one: Judgement, value: str | None) -> bool:
    """Whether the value is as the judgement wants it; a text that was corrected has been cleaned since."""
    if one.verdict == "correct":
        return value is not None
    return value == (one.value if one.verdict == "accept" else None)


def corrected_table(row: type[Row], table: pa.Table, items: Sequence[Item]) -> pa.Table:
    """What is known of a family, [n_items], as the items' corrections leave it."""
    hit = {i for i, item in enumerate(items) if row.family in families(item.corrections)}
    if not hit:
        return table
    lines = [table.slice(i, 1) for i in range(len(items))]
    return pa.concat_tables(
        [_corrected_line(row, line, items[i]) if i in hit else line for i, line in enumerate(lines)]
    )


def _corrected_line(row: type[Row], line: pa.Table, item: Item) -> pa.Table:
    status, error = str(line.column("status")[0].as_py()), str(line.column("error")[0].as_py())
    before = from_table(row, line)[0] if status == sidecar.OK else Absent(status, error)
    after = corrected(row, before, item.corrections)
    if after is before:
        return line
    outcome = Skip(after.error) if isinstance(after, Absent) else after
    return sidecar.to_table(row, [item.id], [outcome]).select(line.column_names)
