"""The sound of a shard as an artifact: mono 16 kHz, 16 bits, each clip scaled to its own peak.

Scaling keeps the quietest clip as precise as the loudest and a resampler's overshoot unclipped.
Annotators always hear sound that went through this form, so that a value does not depend on
whether the sound was just decoded or read back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.errors import ClipError
from pipeline.parquet import damaged
from pipeline.storage import Store

_FULL_SCALE = 32767
_FIELDS: list[pa.Field[Any]] = [
    pa.field("id", pa.string()),
    pa.field("scale", pa.float32()),
    pa.field("pcm", pa.large_binary()),
]
_SCHEMA = pa.schema(
    _FIELDS, {"sample_rate_hz": str(SAMPLE_RATE_HZ), "encoding": "int16; sample * scale is -1..1"}
)


@dataclass(frozen=True, slots=True)
class Pcm:
    """One clip's sound. `scale` is the value of one step; 0 for digital silence."""

    scale: float
    data: npt.NDArray[np.int16]  # [n_samples]

    @classmethod
    def of(cls, samples: Samples) -> Pcm:
        """The sound in 16 bits relative to its peak; ClipError for what is no sound."""
        if samples.ndim != 1:
            raise ClipError("bad_sound", f"the sound has {samples.ndim} axes, not 1")
        peak = float(np.max(np.abs(samples), initial=0.0))
        if not math.isfinite(peak):
            raise ClipError("bad_sound", "the sound holds values that are not finite")
        scale = np.float32(peak / _FULL_SCALE)
        if scale < np.finfo(np.float32).tiny:
            return cls(0.0, np.zeros(len(samples), np.int16))
        return cls(float(scale), np.rint(samples / scale).clip(-_FULL_SCALE, _FULL_SCALE).astype(np.int16))

    def samples(self) -> Samples:
        """The sound, float32, [n_samples]."""
        return self.data.astype(np.float32) * np.float32(self.scale)


def write(store: Store, path: str, ids: Sequence[str], sounds: Iterable[Pcm | None]) -> None:
    """Write the sound of a shard; None where a clip has none of its own."""
    kept = list(sounds)
    table = pa.Table.from_arrays(
        [
            pa.array(ids, pa.string()),
            pa.array([None if s is None else s.scale for s in kept], pa.float32()),
            pa.array([None if s is None else s.data.tobytes() for s in kept], pa.large_binary()),
        ],
        schema=_SCHEMA,
    )
    with store.writing(path) as file, pa.ipc.new_file(pa.PythonFile(cast("Any", file)), _SCHEMA) as writer:
        writer.write_table(table)


def read(store: Store, path: str) -> list[Pcm | None]:
    """The sound of a shard, memory-mapped where it is local."""
    try:
        table = pa.ipc.open_file(store.map(path)).read_all()
    except pa.ArrowInvalid as error:
        raise damaged(store, path, error) from error
    scales = table.column("scale").to_pylist()
    return [
        None if scale is None else Pcm(scale, np.frombuffer(pcm.as_buffer(), np.int16))
        for scale, pcm in zip(scales, table.column("pcm"), strict=True)
    ]
