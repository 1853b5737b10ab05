"""Clips that are there twice: in sound or in words, exactly or nearly. What comes first stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from jobs.export import alike_sound, alike_text
from jobs.export.dataset import Dataset
from jobs.export.gate import Gate, Reason
from jobs.export.near import Kept, Signature
from jobs.export.request import DUPLICATES
from jobs.export.sound import ShardSounds, sound_keys
from pipeline.errors import ClipError, UsageError
from pipeline.rundir import Shard
from pipeline.source.base import Item


def gates(dataset: Dataset, kinds: Sequence[str]) -> list[Gate]:
    """A gate for each kind. Raises UsageError where the run has not what it compares."""
    have = dataset.schema.names
    made: dict[str, tuple[str, Callable[[], Gate]]] = {
        "sound": ("sound_hash", lambda: ExactGate("sound", "sound_hash", str.encode)),
        "sound-near": ("sound_hash", lambda: SoundGate(dataset)),
        "transcript": ("transcript", lambda: ExactGate("transcript", "transcript", _words)),
        "transcript-near": ("transcript", TextGate),
    }
    for kind in kinds:
        if made[kind][0] not in have:
            raise UsageError(f"--dedupe {kind} compares {made[kind][0]}, which the run has not.")
    return [made[kind][1]() for kind in DUPLICATES if kind in kinds]


class ExactGate:
    """Drops a clip whose column has the digest of an earlier one; one without a value is never dropped."""

    def __init__(self, kind: str, column: str, digest: Callable[[str], bytes]) -> None:
        self.columns: Sequence[str] = (column,)
        self._kind, self._digest = kind, digest
        self._seen: dict[bytes, str] = {}

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row that repeats an earlier one."""
        values = rows.column(self.columns[0]).to_pylist()
        ids = rows.column("id").to_pylist()
        return [
            self._reason(str(name), value) if wanted and value else None
            for name, value, wanted in zip(ids, values, open_, strict=True)
        ]

    def _reason(self, name: str, value: str) -> Reason | None:
        digest = self._digest(value)
        if not digest or self._seen.setdefault(digest, name) == name:
            return None
        return Reason(f"dedupe {self._kind}", f"the same {self._kind} as {self._seen[digest]}")


class TextGate:
    """Drops a clip whose words are nearly those of an earlier one."""

    columns: Sequence[str] = ("transcript",)

    def __init__(self) -> None:
        self._kept = Kept(alike_text.alike)
        self._exact = ExactGate("transcript", "transcript", _words)

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row that repeats, or nearly repeats, an earlier one."""
        found = self._exact.reasons(shard, rows, open_)
        texts, ids = rows.column("transcript").to_pylist(), rows.column("id").to_pylist()
        for i, text in enumerate(texts):
            if open_[i] and found[i] is None and text:
                mark = alike_text.signature(alike_text.plain(text))
                found[i] = _near(self._kept, "transcript", str(ids[i]), mark, alike_text.bands)
        return found


class SoundGate:
    """Drops a clip that sounds like an earlier one. It reads the sound of every clip that is still in."""

    columns: Sequence[str] = ("sound_hash",)

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._keys, self._names = sound_keys(dataset.record), dataset.store.names()
        self._kept = Kept(alike_sound.alike)
        self._exact = ExactGate("sound", "sound_hash", str.encode)

    def reasons(self, shard: Shard, rows: pa.Table, open_: Sequence[bool]) -> list[Reason | None]:
        """A row that repeats, or nearly repeats, an earlier one."""
        found = self._exact.reasons(shard, rows, open_)
        hashes = rows.column("sound_hash").to_pylist()
        items = self._dataset.items(shard, rows)
        sounds = ShardSounds(self._dataset.store, self._keys, self._names, shard)
        for i, item in enumerate(items):
            if open_[i] and found[i] is None and hashes[i] is not None:
                mark = _mark(sounds, i, item)
                found[i] = _near(self._kept, "sound", item.id, mark, alike_sound.bands)
        return found


def _mark(sounds: ShardSounds, i: int, item: Item) -> Signature | None:
    """The fingerprint of a clip; None where its sound is gone."""
    try:
        return alike_sound.fingerprint(sounds.samples(i, item))
    except ClipError:
        return None


def _near(
    kept: Kept, kind: str, name: str, mark: Signature | None, bands: Callable[[Signature], list[int]]
) -> Reason | None:
    if mark is None:
        return None
    keys = bands(mark)
    twin = kept.like(mark, keys)
    if twin is None:
        kept.keep(name, mark, keys)
        return None
    return Reason(f"dedupe {kind}-near", f"nearly the same {kind} as {twin}")


def _words(text: str) -> bytes:
    plain = alike_text.plain(text)
    return alike_text.digest(plain) if plain else b""
