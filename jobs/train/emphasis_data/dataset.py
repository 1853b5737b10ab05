"""What was regenerated as a dataset: flac files with a manifest, and the same with its sound as Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.train.emphasis_data.stressed import FOLDER, Stressed
from jobs.train.emphasis_data.variants import parted
from pipeline import parquet, sidecar
from pipeline.errors import ClipError
from pipeline.job import Job
from pipeline.manifest import read_shard
from pipeline.rundir import Shard
from pipeline.schema import columns_of
from pipeline.storage import Store

NAMES = {
    "file": "audio", "seconds": "duration_s", "spoken": "text", "spoken_language": "language",
    "spoken_words": "words", "stressed_word": "emphasis_word", "stressed_index": "emphasis_index",
    "told": "description", "instructed": "instruction", "regenerated_by": "vocoder",
}  # fmt: skip
"""Columns that are called otherwise in the dataset: as manifests call them."""
_CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/*.parquet
---
# Speech with one word stressed

Made by `speechcraft train emphasis-data`: recordings regenerated with one word of each raised in pitch,
level and length; where `strength` is 0 the recording went through the vocoder unstressed. The licence is
that of the recordings.

- `data/train.parquet`: every clip with its sound, for `datasets.load_dataset(FOLDER)`
- `manifest.jsonl` and `audio/`: the same as files, for `speechcraft annotate FOLDER/manifest.jsonl`

Clips that could not be made have no sound; `error` says why.

"""


def write_dataset(store: Store, job: Job, shards: Sequence[Shard]) -> None:
    """Write it anew from the sidecars, a shard at a time; the same run gives the same bytes."""
    schema = _with_sound(store, _renamed(_table(store, job, shards[0])).slice(0, 0)).schema
    with (
        store.writing(f"{FOLDER}/manifest.jsonl") as lines,
        store.writing(f"{FOLDER}/data/train.parquet") as rows,
        pq.ParquetWriter(cast("Any", rows), _known_to_datasets(schema), compression="zstd") as writer,
    ):
        for shard in shards:
            table = _renamed(_table(store, job, shard))
            for line in table.to_pylist():
                lines.write((json.dumps(line, ensure_ascii=False) + "\n").encode())
            writer.write_table(_with_sound(store, table).cast(_known_to_datasets(schema)))
    told = "".join(f"- `{NAMES.get(c.name, c.name)}`: {c.column.doc}\n" for c in columns_of(Stressed))
    store.write(f"{FOLDER}/README.md", (_CARD + told).encode())


def _with_sound(store: Store, table: pa.Table) -> pa.Table:
    """With the files themselves in place of their names."""
    files = table.column("audio").to_pylist()
    sounds = [file and {"bytes": store.read(f"{FOLDER}/{file}"), "path": file} for file in files]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return table.set_column(table.schema.get_field_index("audio"), "audio", pa.array(sounds, kind))


def _known_to_datasets(schema: pa.Schema) -> pa.Schema:
    """With the note by which `datasets` tells that a column is sound."""
    from datasets import Audio, Features

    features = Features.from_arrow_schema(schema)
    features["audio"] = Audio()
    return schema.with_metadata(features.arrow_schema.metadata)


def _table(store: Store, job: Job, shard: Shard) -> pa.Table:
    """The sidecar of a shard with its clips' speakers and licences."""
    items, path = read_shard(store, shard), shard.sidecar(job.ways[0].key)
    if store.exists(path):
        table = parquet.read(store, path)
    else:
        lost = [ClipError("given_up", "the shard was given up")] * len(items)
        table = sidecar.to_table(Stressed, [item.id for item in items], lost)
    source = pa.array([parted(item.id)[0] for item in items], pa.string())
    table = table.set_column(table.schema.get_field_index("made_from"), "made_from", source)
    for name in ("speaker", "licence"):
        table = table.append_column(name, pa.array([getattr(i.given, name) for i in items], pa.string()))
    return table


def _renamed(table: pa.Table) -> pa.Table:
    """Under the dataset's names, without the sidecar's provenance, which names a host."""
    return table.rename_columns([NAMES.get(n, n) for n in table.column_names]).replace_schema_metadata(None)
