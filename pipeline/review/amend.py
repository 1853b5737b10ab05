"""Clips that people corrected, annotated again as far as their corrections reach.

They make shards of their own, beside those of the source: the same items with what was said of them. What
reads nothing that was corrected is copied there; the engine computes the rest, as it does anywhere. So a
correction of the mood costs two captions, and neither a model's pass over a neighbour nor a stale file.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa

from pipeline import parquet, sidecar, sounds
from pipeline.clip import Absent
from pipeline.job import Job
from pipeline.manifest import line_digest, read_ids, read_shard, shard_of, write_shard
from pipeline.review.corrections import Correction, corrected, families
from pipeline.review.judgements import REVIEWS, OfClip, corrections, heard_as, read, standing
from pipeline.rows import Language, Row, Sound, Transcript
from pipeline.rundir import Shard
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.text import words

AMENDED = f"{REVIEWS}/shards.json"
"""Which shards of corrected clips are current."""

Place = tuple[Shard, int]
"""A shard of the source, and the clip's number in it."""


@dataclass(frozen=True, slots=True)
class _Corrected:
    """A clip with its corrections, and where it stands in the run."""

    item: Item
    shard: Shard
    number: int


def read_shards(store: Store) -> list[Shard]:
    """The shards of corrected clips."""
    if not store.exists(AMENDED):
        return []
    return [Shard(**shard) for shard in json.loads(store.read(AMENDED))]


def write_shards(store: Store, shards: Sequence[Shard]) -> None:
    """Say which shards of corrected clips are current."""
    store.write(AMENDED, json.dumps([asdict(shard) for shard in shards], indent=1).encode())


def said(store: Store) -> dict[str, OfClip]:
    """What people have said by now, of each clip."""
    return standing(read(store)) if store.names(REVIEWS) else {}


def plan(store: Store, job: Job, shards: Sequence[Shard], found: Mapping[str, OfClip]) -> list[Shard]:
    """The shards of the clips that are corrected by what was `found` said, with all in them that no
    correction reaches.

    What is missing in them is for the engine. A clip of which the same was said as before stays as it is.
    """
    if not store.names(REVIEWS):
        return []
    wanted = _wanted(store, job, shards, found)
    known = read_shards(store)
    current: list[Shard] = []
    left = dict(wanted)
    for shard in known:
        items = read_shard(store, shard)
        still = [item for item in items if item.id in left and _same(left[item.id].item, item)]
        for item in still:
            del left[item.id]
        if len(still) == len(items):
            current.append(shard)
        elif still:
            current.append(_thinned(store, job, shard, items, still))
    current += _new(store, job, [place.item for place in left.values()], known)
    if current != known:
        write_shards(store, current)
    for shard in current:
        _copy_unreached(store, job, shard, wanted)
    return current


def _same(one: Item, other: Item) -> bool:
    """Whether all that is known of two items is the same; errors that say the same are not equal."""
    return line_digest(one) == line_digest(other)


def _wanted(
    store: Store, job: Job, shards: Sequence[Shard], found: Mapping[str, OfClip]
) -> dict[str, _Corrected]:
    """By id, the clips of the run that are corrected."""
    wanted = {}
    for shard, numbers in places(store, shards, found).items():
        rows = _Rows(store, job, shard)
        items = read_shard(store, shard)
        for clip, i in numbers.items():
            sound = rows.of(Sound, i)
            said = corrections(heard_as(found[clip], sound.sound_hash if isinstance(sound, Sound) else None))
            said = tuple(to for to in said if families([to]) <= set(job.families))
            if said:
                item = replace(items[i], corrections=_placed(said, rows, i))
                wanted[clip] = _Corrected(item, shard, i)
    return wanted


def places(store: Store, shards: Sequence[Shard], found: Mapping[str, OfClip]) -> dict[Shard, dict[str, int]]:
    """Where judged clips stand, by shard; first looked for where they stood when they were judged."""
    hinted = {one.shard for of in found.values() for by in of.values() for one in by.values()}
    left = set(found)
    where: dict[Shard, dict[str, int]] = {}
    for shard in sorted(shards, key=lambda shard: shard.name not in hinted):
        if not left:
            break
        here = {name: i for i, name in enumerate(read_ids(store, shard)) if name in left}
        if here:
            where[shard] = here
            left -= set(here)
    return where


class _Rows:
    """What the annotators found of single clips of a shard; a sidecar is read once."""

    def __init__(self, store: Store, job: Job, shard: Shard) -> None:
        self._store, self._job, self._shard = store, job, shard
        self._read: dict[type[Row], list[list[Row | Absent]]] = {}

    def of(self, row: type[Row], i: int) -> Row | None:
        """The clip's row: of several ways the first that has one."""
        if row not in self._read:
            paths = [self._shard.sidecar(way.key) for way in self._job.of(row.family)]
            there = [path for path in paths if self._store.exists(path)]
            self._read[row] = [sidecar.read_rows(self._store, path, row) for path in there]
        return next((found for rows in self._read[row] if isinstance(found := rows[i], row)), None)


def _placed(said: tuple[Correction, ...], rows: _Rows, i: int) -> tuple[Correction, ...]:
    """The corrections, a stressed word where it stands in the transcript as it is now."""
    if not any(to.attribute == "emphasis_word" and to.verdict == "correct" for to in said):
        return said
    language = corrected(Language, rows.of(Language, i) or _NOTHING, said)
    transcript = corrected(Transcript, rows.of(Transcript, i) or _NOTHING, said)
    code = language.language if isinstance(language, Language) else None
    spoken = words(transcript.transcript, code) if isinstance(transcript, Transcript) else []
    return tuple(
        replace(to, place=_place(to, spoken, code)) if to.attribute == "emphasis_word" else to for to in said
    )


_NOTHING = Absent("skipped", "not there")


def _place(to: Correction, spoken: Sequence[str], language: str | None) -> int | None:
    """The word that was meant, if it is still that word; else the only one like it. Chinese words are of
    several characters, each a token: they stand where the first does."""
    wanted = [token.casefold() for token in words(to.value or "", language)]
    folded = [token.casefold() for token in spoken]
    like = [i for i in range(len(folded)) if wanted and folded[i : i + len(wanted)] == wanted]
    if to.place in like:
        return to.place
    return like[0] if len(like) == 1 else None


def _new(store: Store, job: Job, items: Iterable[Item], known: Sequence[Shard]) -> list[Shard]:
    """Shards of clips whose corrections are of the same families, and so reach equally far."""
    groups: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.id):
        groups[tuple(sorted(families(item.corrections)))].append(item)
    made: list[Shard] = []
    index = max((shard.index for shard in known), default=-1)
    for _, group in sorted(groups.items()):
        for start in range(0, len(group), job.shard_size):
            part = group[start : start + job.shard_size]
            made.append(shard_of(index + 1 + len(made), part))
            write_shard(store, made[-1], part)
    return made


def _thinned(store: Store, job: Job, shard: Shard, items: Sequence[Item], still: Sequence[Item]) -> Shard:
    """The shard without the clips of which something else was said since, with all that is known."""
    thin = shard_of(shard.index, still)
    write_shard(store, thin, still)
    keep = [i for i, item in enumerate(items) if item in still]
    for way in job.ways:
        if store.exists(shard.sidecar(way.key)):
            _write_rows(store, thin, way.key, [(shard, keep)])
        if way.makes_sound and store.exists(shard.sound(way.key)):
            held = sounds.read(store, shard.sound(way.key))
            sounds.write(store, thin.sound(way.key), [i.id for i in still], [held[i] for i in keep])
    return thin


def _copy_unreached(store: Store, job: Job, shard: Shard, wanted: Mapping[str, _Corrected]) -> None:
    """What no correction in the shard reaches, from where its clips come from."""
    items = read_shard(store, shard)
    changed = frozenset[str]().union(*(families(item.corrections) for item in items))
    again = reached(job, changed)
    hears = any(way.cls.hears for way in job.ways if way.family in again)
    parts = _runs([(wanted[item.id].shard, wanted[item.id].number) for item in items])
    for way in job.ways:
        if way.family in again or not all(store.exists(s.sidecar(way.key)) for s, _ in parts):
            continue
        to = shard.sound(way.key)
        kept = way.makes_sound and all(store.exists(s.sound(way.key)) for s, _ in parts)
        if kept and hears and not store.exists(to):
            held = [(sounds.read(store, s.sound(way.key)), numbers) for s, numbers in parts]
            sounds.write(store, to, [i.id for i in items], [pcm[i] for pcm, numbers in held for i in numbers])
        if not store.exists(shard.sidecar(way.key)):
            _write_rows(store, shard, way.key, parts)


def reached(job: Job, changed: Collection[str]) -> frozenset[str]:
    """The families that read one of these, directly or not."""
    again: set[str] = set()
    for family in job.families:
        if any(read in again or read in changed for w in job.of(family) for read in (*w.needs, *w.wants)):
            again.add(family)
    return frozenset(again)


def _runs(found: Sequence[Place]) -> list[tuple[Shard, list[int]]]:
    """Neighbours of one shard together, in order."""
    runs: list[tuple[Shard, list[int]]] = []
    for shard, number in found:
        if runs and runs[-1][0] == shard:
            runs[-1][1].append(number)
        else:
            runs.append((shard, [number]))
    return runs


def _write_rows(store: Store, to: Shard, key: str, parts: Sequence[tuple[Shard, Sequence[int]]]) -> None:
    tables = [
        parquet.read(store, shard.sidecar(key)).take(pa.array(numbers, pa.int64()))
        for shard, numbers in parts
    ]
    whole = pa.concat_tables([table.replace_schema_metadata(None) for table in tables])
    facts = sidecar.provenance(store, parts[0][0].sidecar(key)) | {"manifest_hash": to.hash}
    sidecar.write(store, to.sidecar(key), whole, facts)
