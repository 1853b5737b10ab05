"""Plain Parquet: the columns as they are, and the sound of each clip in `audio` as its file's bytes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.export.forms.base import WHERE, Clip, Fact, Layout, hashing
from jobs.export.plan import Part

GROUP_BYTES = 16 * 2**20
"""Of a row group: what a reader holds at once, and what this process does."""
AUDIO = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])


class ParquetForm:
    """Parts as Parquet files."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.schema = schema_of(layout)

    def open(self, part: Part) -> ParquetPart:
        """A part, ready for its first clip."""
        return ParquetPart(self._layout, self.schema, part.name(".parquet"))


class ParquetPart:
    """One Parquet file, row group by row group."""

    def __init__(self, layout: Layout, schema: pa.Schema, name: str) -> None:
        self._layout, self._schema, self._name = layout, schema, name
        self._stack = ExitStack()
        self._file = self._stack.enter_context(hashing(layout.out, name))
        sink = self._stack.enter_context(pa.PythonFile(cast("Any", self._file), mode="w"))
        self._writer = self._stack.enter_context(pq.ParquetWriter(sink, schema, compression="zstd"))
        self._held: list[Clip] = []
        self._bytes = 0

    def add(self, clip: Clip) -> None:
        """The next clip."""
        self._held.append(clip)
        self._bytes += clip.row.nbytes + (len(clip.sound.data) if clip.sound else 0)
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def finish(self) -> list[Fact]:
        """The file, complete."""
        self._flush()
        self._stack.close()
        return [self._file.fact(self._name)]

    def abandon(self, error: BaseException) -> None:
        """Leave nothing."""
        self._held = []
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _flush(self) -> None:
        if not self._held:
            return
        rows = pa.concat_tables([clip.row for clip in self._held])
        arrays = [self._column(rows, field) for field in self._schema]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self._held, self._bytes = [], 0

    def _column(self, rows: pa.Table, field: pa.Field[Any]) -> Any:
        if field.name == "audio" and self._layout.audio == "embed":
            cells = [
                None if c.sound is None else {"bytes": c.sound.data, "path": f"{c.key}.{c.sound.suffix}"}
                for c in self._held
            ]
            return pa.array(cells, AUDIO)
        if field.name in WHERE and self._layout.audio == "path":
            return pa.array([c.where[field.name] for c in self._held], field.type)
        column = rows.column(field.name)
        if field.name in self._layout.classes:
            names = pa.array(self._layout.classes[field.name])
            return pc.index_in(column, value_set=names).cast(field.type)
        return column


def schema_of(layout: Layout) -> pa.Schema:
    """The columns of a part, the sound behind the id; any may be null."""
    fields: list[pa.Field[Any]] = []
    for field in layout.schema:
        kind = pa.int64() if field.name in layout.classes else field.type
        fields.append(pa.field(field.name, kind, metadata=field.metadata))
    if layout.audio == "embed":
        fields.insert(1, pa.field("audio", AUDIO))
    if layout.audio == "path":
        own = [f for f in fields if f.name not in WHERE]
        fields = [own[0], *(pa.field(name, kind) for name, kind in WHERE.items()), *own[1:]]
    return pa.schema(fields)
