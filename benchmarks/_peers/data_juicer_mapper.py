"""The mapper of data_juicer.py; data-juicer loads it by its path."""

from __future__ import annotations

from typing import Any

from data_juicer.ops.base_op import OPERATORS, Mapper

from benchmarks._peers.function import annotate


@OPERATORS.register_module("measures_mapper")
class MeasuresMapper(Mapper):
    """One clip in, one out."""

    def process_single(self, sample: dict[str, Any]) -> dict[str, Any]:
        """The clip with its measures."""
        return sample | annotate(sample["id"], sample["audio"], sample["text"])
