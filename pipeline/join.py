"""The join: every sidecar of a run side by side, one row per clip, as a dataset anyone can load.

What people corrected stands before what was found, and `review` says so.

Its bytes depend on the job and the clips alone: not on hosts, times, retries or the number of workers.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import parquet
from pipeline.ahead import in_order
from pipeline.card import CARD, write_card
from pipeline.job import Job
from pipeline.review.reviewed import Reviewed
from pipeline.rows import ASSUMED
from pipeline.rundir import DATASET, Shard
from pipeline.side_by_side import AHEAD_FAR, TOLERATED, There, complaints, tables
from pipeline.storage import Store

FILE_BYTES = 256 * 2**20
"""Of Arrow memory; compressed files are smaller."""
INDEX = f"{DATASET}/index.json"


@dataclass(slots=True)
class Joined:
    """What the dataset holds. `causes` counts failed clips by family and code, with an example of each."""

    clips: int = 0
    ok: int = 0
    failed: int = 0
    seconds: float = 0.0
    causes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    tolerated: dict[str, int] = field(default_factory=dict)
    """Failures of optional annotators, by family and code: their clips are not failed."""
    assumed: dict[str, int] = field(default_factory=dict)
    """Clips of which nothing told the language, by the one they were taken for."""
    columns: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, object]] = field(default_factory=list)
    inputs: str = ""
    made_of: dict[str, int] = field(default_factory=dict)
    """How many sidecars of each way there were, for the shards that `shards` is a digest of."""
    shards: str = ""
    reviews: str = ""


def root_cause(error: str) -> str:
    """The first complaint about a clip, of a dataset's `error` or `skipped`: `family: code: sentence`."""
    return complaints(error)[0]


def join(store: Store, job: Job, shards: Sequence[Shard], reviewed: Reviewed | None = None) -> Joined:
    """Write dataset/, or leave it if it was made from the same sidecars. `reviewed`: what people said that is
    annotated by now, all of it where nothing else is given.

    What it holds lies in a folder named by a digest of it, data-<digest>: a generation, in which nothing ever
    changes. The card and index.json name one that is complete; the one before stays for those who still read
    it, until the next join.
    """
    there = There.find(store, job, shards)
    reviewed = Reviewed.read(store) if reviewed is None else reviewed
    corrected = There.find(store, job, reviewed.shards)
    inputs = there.digest(job, shards)
    if reviews := reviewed.digest():
        more = f"{inputs}{reviews}{corrected.digest(job, reviewed.shards)}"
        inputs = hashlib.blake2b(more.encode(), digest_size=12).hexdigest()
    known = _known(store)
    have = store.names(DATASET)
    if known is not None and known.inputs == inputs and not _lacks(known, have):
        return known
    made_of = {key: int(np.sum(bits)) for key, bits in there.sidecars.items()}
    joined = Joined(inputs=inputs, made_of=made_of, shards=digest_of(shards), reviews=reviews)
    reviewed.take(found.table for found in tables(store, job, reviewed.shards, corrected))
    _write_files(store, job, shards, there, reviewed, joined)
    try:
        _name_by_content(store, joined)
    except FileNotFoundError:  # another run, at work without a lease, cleared them away
        return join(store, job, shards, reviewed)
    write_card(store, job, asdict(joined))
    store.write(INDEX, json.dumps(asdict(joined), ensure_ascii=False, indent=1).encode())
    kept = {INDEX, CARD, *_paths(joined), *(_paths(known) if known is not None else ())}
    there_now = store.names(DATASET)
    if _lacks(joined, there_now):  # the same: it took our files for an earlier state's
        return join(store, job, shards, reviewed)
    store.remove_files(there_now - kept)
    return joined


def outdate(store: Store) -> None:
    """Have the next join write the dataset anew: rows change in sidecars that will have the same names."""
    known = _known(store)
    if known is not None:
        known.inputs = ""
        store.write(INDEX, json.dumps(asdict(known), ensure_ascii=False, indent=1).encode())


def is_joined(store: Store) -> bool:
    """Whether there is a dataset, and none of its rows has been marked to be computed again since."""
    known = _known(store)
    return known is not None and bool(known.inputs)


def _known(store: Store) -> Joined | None:
    """What index.json says; nothing where there is none."""
    try:
        return Joined(**json.loads(store.read(INDEX)))
    except FileNotFoundError:
        return None


def _paths(joined: Joined) -> list[str]:
    return [f"{DATASET}/{facts['name']}" for facts in joined.files]


def _lacks(joined: Joined, have: Collection[str]) -> bool:
    return CARD not in have or any(path not in have for path in _paths(joined))


def digest_of(shards: Sequence[Shard]) -> str:
    """Of the names of all shards, in order."""
    return hashlib.blake2b("".join(s.name for s in shards).encode(), digest_size=12).hexdigest()


def _write_files(
    store: Store, job: Job, shards: Sequence[Shard], there: There, reviewed: Reviewed, joined: Joined
) -> None:
    """The data, in a folder that nobody reads."""
    some: list[pa.Table] = []
    size = 0
    for found in tables(store, job, shards, there):
        table = reviewed.over(found.table)
        _count(table, joined)
        _count_tolerated(found.families, joined)
        some.append(table)
        size += table.nbytes
        if size >= FILE_BYTES:
            _write_file(store, some, joined)
            some, size = [], 0
    if some:
        _write_file(store, some, joined)


def _write_file(store: Store, some: list[pa.Table], joined: Joined) -> None:
    name = f"data-{joined.inputs[:12]}-unfinished/train-{len(joined.files):05d}.parquet"
    table = pa.concat_tables(some)
    data = parquet.write(store, f"{DATASET}/{name}", table)
    digest = hashlib.sha256(data).hexdigest()
    joined.files.append({"name": name, "rows": table.num_rows, "bytes": data.size, "sha256": digest})


def _name_by_content(store: Store, joined: Joined) -> None:
    """The files into the folder of their generation.

    Rows that were computed again make another one, and those of a run that never failed the same.
    """
    content = "".join(str(facts["sha256"]) for facts in joined.files)
    folder = f"data-{hashlib.blake2b(content.encode(), digest_size=6).hexdigest()}"
    written = _paths(joined)
    for facts in joined.files:
        facts["name"] = f"{folder}/{str(facts['name']).rpartition('/')[2]}"
    pairs = zip(written, _paths(joined), strict=True)
    for _ in in_order(lambda pair: store.rename(*pair), pairs, 1 if store.is_local else AHEAD_FAR):
        pass


def _count(table: pa.Table, joined: Joined) -> None:
    errors = table.column("error").to_pylist()
    joined.clips += len(errors)
    joined.failed += sum(e is not None for e in errors)
    joined.ok = joined.clips - joined.failed
    if "duration_s" in table.column_names:
        joined.seconds += pc.sum(table.column("duration_s")).as_py() or 0.0
    for i, error in enumerate(errors):
        if error is not None:
            cause = ":".join(error.split(":")[:2])
            joined.causes[cause] = joined.causes.get(cause, 0) + 1
            joined.examples.setdefault(cause, f"{table.column('id')[i]}: {root_cause(error)}")
    if "language_source" in table.column_names:
        hit = pc.equal(table.column("language_source"), pa.scalar(ASSUMED))
        for language, count in Counter(map(str, table.column("language").filter(hit).to_pylist())).items():
            joined.assumed[language] = joined.assumed.get(language, 0) + count
    for name in table.column_names:
        column = table.column(name)
        joined.columns[name] = joined.columns.get(name, 0) + len(column) - column.null_count


def _count_tolerated(families: dict[str, pa.Table], joined: Joined) -> None:
    for family, table in families.items():
        hit = pc.equal(table.column("status"), pa.scalar(TOLERATED))
        for error in table.column("error").filter(hit).to_pylist():
            cause = f"{family}: {str(error).partition(':')[0]}"
            joined.tolerated[cause] = joined.tolerated.get(cause, 0) + 1
