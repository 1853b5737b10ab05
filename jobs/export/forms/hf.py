"""Parquet that `datasets.load_dataset` reads with typed features: Audio, ClassLabel, nested lists."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from jobs.export.forms.base import Layout
from jobs.export.forms.parquet import ParquetForm

_NAMES = {"double": "float64", "float": "float32"}
"""Arrow's names for types that `datasets` calls otherwise."""


class HfForm(ParquetForm):
    """Parts as Parquet files that say what their columns are."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        features = {field.name: _feature(layout, field) for field in self.schema}
        info = json.dumps({"info": {"features": features}}, ensure_ascii=False)
        self.schema = self.schema.with_metadata({"huggingface": info})


def _feature(layout: Layout, field: pa.Field[Any]) -> Any:
    if field.name == "audio" and layout.audio == "embed":
        return {"_type": "Audio"}
    if field.name in layout.classes:
        return {"names": list(layout.classes[field.name]), "_type": "ClassLabel"}
    return _typed(field.type)


def _typed(kind: pa.DataType) -> Any:
    """A list as `[item]`: every release of `datasets` reads that, while List is new in its version 4."""
    if isinstance(kind, pa.ListType):
        return [_typed(kind.value_type)]
    if isinstance(kind, pa.StructType):
        return {field.name: _typed(field.type) for field in kind}
    return {"dtype": _NAMES.get(str(kind), str(kind)), "_type": "Value"}
