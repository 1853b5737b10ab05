"""What lies in a run directory without use to its present job: to be removed, and never anything else.

Of use is what job.yaml, the index of shards and the dataset's index name. What people wrote stays: reviews,
reports, exports, records of calls, frozen thresholds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jobs.runs import Run
from pipeline import layout
from pipeline.join import INDEX as DATASET_INDEX
from pipeline.lease import LEASE, LOCK
from pipeline.packs import is_pack
from pipeline.review.amend import read_shards
from pipeline.rundir import AGAIN, ANSWERS, DATASET, FAILURES, MANIFEST, SOURCE
from pipeline.storage import TEMPORARY, Store

_STEM = re.compile(r"shard-\d+-[0-9a-f]+")
_KEY = re.compile(r"[^/@]+-[^/@]+@[0-9a-f]+")

OTHER_OPTIONS = "of annotators or options that are not in the job any more"
OTHER_CLIPS = "of clips that changed or went away"
ANSWERED = "answers of a service whose rows are written"
OLD_DATASET = "of earlier states of the dataset"
UNFINISHED = "left unfinished by writers that were killed"


@dataclass(slots=True)
class Garbage:
    """Files by the reason why they are of no use, with their bytes; those in packs too."""

    files: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, why: str, path: str, size: int) -> None:
        """One more."""
        self.files.setdefault(why, {})[path] = size

    @property
    def bytes(self) -> int:
        """Of all."""
        return sum(size for files in self.files.values() for size in files.values())

    @property
    def count(self) -> int:
        """Of all files."""
        return sum(map(len, self.files.values()))


def find(run: Run) -> Garbage:
    """What could go."""
    store = run.store
    use = _Use.of(run)
    garbage = Garbage()
    sizes = store.sizes()
    for path, size in sizes.items():
        if TEMPORARY in path:
            if path not in (LOCK, LEASE):
                garbage.add(UNFINISHED, path, size)
        elif is_pack(path) and _belongs_to_shards(path):
            for member, packed in store.packed_sizes(path).items():
                if why := use.reason(member, sizes):
                    garbage.add(why, member, packed)
        elif why := use.reason(path, sizes):
            garbage.add(why, path, size)
    return garbage


def remove(store: Store, garbage: Garbage) -> None:
    """Remove it. What was made from others goes after what it was made from is named no more: any order."""
    for files in garbage.files.values():
        store.remove_files(files)
    store.remove_empty_folders()


@dataclass(frozen=True, slots=True)
class _Use:
    """What the run has use for."""

    keys: frozenset[str]
    shards: frozenset[str]
    dataset: frozenset[str]

    @classmethod
    def of(cls, run: Run) -> _Use:
        entries = ((f, e) for f, found in run.record["annotators"].items() for e in found)
        shards = [*run.shards, *layout.read(run.store, SOURCE).shards, *read_shards(run.store)]
        return cls(
            frozenset(f"{family}-{entry['use']}@{entry['fingerprint']}" for family, entry in entries),
            frozenset(shard.name for shard in shards),
            _named(run.store),
        )

    def reason(self, path: str, there: Mapping[str, int]) -> str | None:
        """Why a file is of no use; nothing where it is of some, or not known."""
        folder, _, rest = path.partition("/")
        if folder == DATASET:
            old = rest.startswith("data-") and path not in self.dataset and self.dataset
            return OLD_DATASET if old else None
        if folder == AGAIN:
            folder, _, rest = rest.partition("/")
        if _KEY.fullmatch(folder) and folder not in self.keys:
            return OTHER_OPTIONS
        stem = _STEM.match(rest)
        if stem is None or not _belongs_to_shards(path):
            return None
        if stem[0] not in self.shards:
            return OTHER_CLIPS
        if f"{ANSWERS}/" in path and f"{folder}/{stem[0]}.parquet" in there:
            return ANSWERED
        return None


def _belongs_to_shards(path: str) -> bool:
    folder = path.partition("/")[0]
    return folder in (MANIFEST, FAILURES, AGAIN) or _KEY.fullmatch(folder) is not None


def _named(store: Store) -> frozenset[str]:
    """The files of the dataset as it is; none where there is no dataset."""
    try:
        files = json.loads(store.read(DATASET_INDEX))["files"]
    except FileNotFoundError:
        return frozenset()
    return frozenset(f"{DATASET}/{file['name']}" for file in files)
