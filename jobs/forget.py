"""Forgetting clips of a run: every file that holds one is written anew without it, and nothing is computed.

The order survives a kill at any point: first the list of the forgotten, so that no resume brings them
back, then new files, then the index, and only then the old files go; the same call again ends it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.recorded import job_as_ran
from jobs.review.apply import pending
from jobs.runs import Run
from pipeline import forgotten, layout, parquet, sounds
from pipeline.errors import RunError
from pipeline.join import INDEX as JOINED
from pipeline.join import join
from pipeline.layout import Laid, Layout
from pipeline.layout import write as write_layout
from pipeline.manifest import id_digest, read_shard, shard_of, write_shard
from pipeline.review import amend, judgements
from pipeline.review.judgements import REVIEWS
from pipeline.review.reviewed import Reviewed
from pipeline.rundir import ANSWERS, DATASET, FAILURES, INDEX, MANIFEST, REPORT, SOURCE, Shard
from pipeline.source.base import Item
from pipeline.storage import Store

_STEM = re.compile(r"shard-(\d+)-([0-9a-f]+)")
_UTTERANCE = re.compile(r"@\d{8,}")


@dataclass(slots=True)
class Found:
    """What is to be forgotten: ids, and the shards that hold them, those of earlier plans too; the speaker
    whose clips they are, if it is for that."""

    ids: set[str] = field(default_factory=set)
    shards: dict[Shard, list[Item]] = field(default_factory=dict)
    speaker: str | None = None

    def digests(self) -> set[str]:
        """What is kept of it, so that nobody is named."""
        return {forgotten.digest(name) for name in self.ids} | (
            {speaker_digest(self.speaker)} if self.speaker else set()
        )


def find(run: Run, *, speaker: str | None, clip: str | None) -> Found:
    """The clips of a speaker, or a clip; a recording's utterances go with it. RunError if there is none."""
    wanted = _of_speaker(speaker) if speaker is not None else _of_clip(clip or "")
    found = Found(speaker=speaker)
    for shard in _all_shards(run):
        items = read_shard(run.store, shard)
        hit = {item.id for item in items if wanted(item)}
        if hit:
            found.ids |= hit
            found.shards[shard] = items
    if not found.ids:
        what = f"speaker {speaker!r}" if speaker is not None else f"clip {clip!r}"
        raise RunError(f"There is no {what} in {run.store.url}.")
    return found


def was_forgotten(run: Run, *, speaker: str | None, clip: str | None) -> bool:
    """Whether an earlier call forgot this speaker or clip."""
    wanted = speaker_digest(speaker) if speaker is not None else forgotten.digest(clip or "")
    return wanted in forgotten.read(run.store)


def is_unjoined(run: Run) -> bool:
    """Whether an earlier call was ended behind its last file and before the dataset was there again."""
    return not run.store.exists(JOINED) and bool(layout.read_index(run.store))


def speaker_digest(speaker: str) -> str:
    """What is kept of one that was forgotten."""
    return forgotten.digest(f"speaker\0{speaker}")


def forget(run: Run, found: Found) -> None:
    """Take these clips out of the run, which the caller holds.

    RunError, before anything is touched, where it cannot be done.
    """
    store = run.store
    job = job_as_ran(run)
    unapplied = pending(store) or _unjoined(store)  # to be joined once more: the dataset says of no judgement
    forgotten.write(store, forgotten.read(store) | found.digests())
    renamed: dict[Shard, Shard | None] = {}
    files = _by_shard(store)
    for shard, items in found.shards.items():
        left = [item for item in items if item.id not in found.ids]
        renamed[shard] = shard_of(shard.index, left) if left else None
        _write_anew(store, files[shard.name], shard, renamed[shard], left, found.ids)
    for path in (SOURCE, INDEX, layout.gone(SOURCE), layout.gone(INDEX)):
        if (old := layout.read(store, path)).shards:
            write_layout(store, path, _without(old, renamed, found))
    _forget_judgements(store, found, renamed)
    store.remove(DATASET)
    store.remove(REPORT)  # it may hold their sound
    for name in [n for n in store.names(FAILURES) if _names_one(store.read(n), found.ids)]:
        store.remove(name)
    _remove(store, files, renamed)
    if shards := layout.read_index(store):
        join(store, job, shards, Reviewed({}, amend.read_shards(store)) if unapplied else None)


def _unjoined(store: Store) -> bool:
    """Whether people said something, and no dataset tells if it was brought in: a kill took that away."""
    return bool(store.names(REVIEWS)) and not store.exists(JOINED)


def _forget_judgements(store: Store, found: Found, renamed: Mapping[Shard, Shard | None]) -> None:
    judgements.forget(store, found.ids)
    left = {shard.name: new for shard, new in renamed.items()}
    if known := amend.read_shards(store):
        now = [left.get(shard.name, shard) for shard in known]
        amend.write_shards(store, [shard for shard in now if shard is not None])


def _of_speaker(speaker: str) -> Callable[[Item], bool]:
    return lambda item: item.given.speaker == speaker


def _of_clip(clip: str) -> Callable[[Item], bool]:
    def wanted(item: Item) -> bool:
        rest = item.id.removeprefix(clip)
        return item.id == clip or (rest != item.id and _UTTERANCE.fullmatch(rest) is not None)

    return wanted


def _all_shards(run: Run) -> Iterator[Shard]:
    """Every shard that has a manifest, those of earlier plans too."""
    current = {shard.manifest: shard for shard in run.shards}
    for name in sorted(run.store.names(MANIFEST) - {INDEX, SOURCE}):
        if name in current:
            yield current[name]
        elif stem := _STEM.search(name):
            clips = parquet.read(run.store, name, ["id"]).num_rows
            yield Shard(int(stem[1]), stem[2], clips)


def _without(old: Layout, renamed: Mapping[Shard, Shard | None], found: Found) -> Layout:
    """A layout as it is once these clips are gone. What was looked through for utterances stays so."""
    gone = np.array([id_digest(name) for name in found.ids], np.uint64)
    left = {shard.name: new for shard, new in renamed.items()}  # of an earlier plan's the seconds are unknown
    laid = []
    for one in old:
        new = left.get(one.shard.name, one.shard)
        if new is not None:
            stays = ~np.isin(one.ids, gone) if new is not one.shard else np.ones(len(one.ids), bool)
            laid.append(Laid(new, one.ids[stays], one.lines[stays], one.longest_s))
    return Layout.of(laid)


def _write_anew(
    store: Store, files: Sequence[str], shard: Shard, new: Shard | None, left: Sequence[Item], ids: set[str]
) -> None:
    """Every file of the shard, without these clips, under the name of the shard that is left."""
    if new is None:
        return
    for name in files:
        to = name.replace(shard.name, new.name)
        if name.endswith(".arrow"):
            _sound_anew(store, name, to, ids)
        elif name.endswith(".parquet") and name != shard.manifest:
            table = parquet.read(store, name)
            keep = pc.invert(pc.is_in(table.column("id"), value_set=pa.array(sorted(ids))))
            parquet.write(store, to, table.filter(keep))
        elif name == shard.failure and not _names_one(store.read(name), ids):
            store.write(to, store.read(name))
    write_shard(store, new, left)


def _sound_anew(store: Store, name: str, to: str, ids: set[str]) -> None:
    held = sounds.read(store, name)
    names = pa.ipc.open_file(store.map(name)).read_all().column("id").to_pylist()
    kept = [(str(n), pcm) for n, pcm in zip(names, held, strict=True) if n not in ids]
    sounds.write(store, to, [n for n, _ in kept], [pcm for _, pcm in kept])


def _remove(store: Store, files: Mapping[str, Sequence[str]], shards: Collection[Shard]) -> None:
    """The old files, the manifests last: while one is there, the same call finds its shard again."""
    manifests = {shard.manifest for shard in shards}
    gone = [name for shard in shards for name in files[shard.name] if name not in manifests]
    store.remove_files(gone)
    for folder in {name.rpartition("/")[0] for name in gone if f"{ANSWERS}/" in name}:
        store.remove(folder)
    store.remove_files(manifests)


def _by_shard(store: Store) -> dict[str, list[str]]:
    """The files of each shard, by whatever annotator; one listing."""
    found: dict[str, list[str]] = {}
    for name in sorted(store.names()):
        if (stem := _STEM.search(name)) and not name.startswith(f"{DATASET}/"):
            found.setdefault(stem[0], []).append(name)
    return found


def _names_one(data: bytes, ids: Collection[str]) -> bool:
    text = data.decode("utf-8", "replace")
    return any(name in text or json.dumps(name)[1:-1] in text for name in ids)
