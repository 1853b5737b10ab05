"""The names of everything in a run directory.

job.yaml                               the job as resolved, with every fingerprint
manifest/shard-00012-<hash>.parquet    clips; manifest/index.parquet says which shards are current
manifest/source.parquet                the shards as the source has them, before long recordings were cut
manifest/source-gone.parquet, manifest/index-gone.parquet    shards with clips that went away and may return
<family>-<way>@<fingerprint>/shard-00012-<hash>.parquet    one row per clip, same order
<family>-<way>@<fingerprint>/shard-00012-<hash>.arrow      the sound it made, where it makes sound
<family>-<way>@<fingerprint>/shard-00012-<hash>.answers/   what a service answered, until the sidecar is there
calibration/<family>.json              thresholds, frozen with the run
failures/shard-00012-<hash>.json       why a shard was given up
again/<family>-<way>@<fingerprint>/shard-00012-<hash>.parquet    rows that stand, the others are to come
calls/<time>-<id>.json                 each call: since when, where, how far, at what cost, how it ended
dataset/data-<digest>/train-00012.parquet, dataset/index.json, dataset/README.md
forgotten.json                         digests of forgotten clips
reviews/<reviewer>/<session>.jsonl     what people said of clips, a line a judgement; the reviewer by a digest
reviews/shards.json                    the shards of clips that people corrected
exports/*.json                         the exports made of the run: where, and what was asked for
report/index.html, report/plots/       the report, with sound of some clips in it
"""

from __future__ import annotations

from dataclasses import dataclass

JOB = "job.yaml"
MANIFEST = "manifest"
INDEX = "manifest/index.parquet"
SOURCE = "manifest/source.parquet"
DATASET = "dataset"
FAILURES = "failures"
AGAIN = "again"
CALLS = "calls"
REPORT = "report"
ANSWERS = ".answers"
"""Ends the name of the folder of an unfinished shard's journal."""


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """A fixed group of clips. `hash` is that of its manifest rows: other clips, other files."""

    index: int
    hash: str
    clips: int
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The stem of every file of this shard."""
        return f"shard-{self.index:05d}-{self.hash}"

    @property
    def manifest(self) -> str:
        """Its clips."""
        return f"{MANIFEST}/{self.name}.parquet"

    @property
    def failure(self) -> str:
        """Why it was given up, if it was."""
        return f"{FAILURES}/{self.name}.json"

    def sidecar(self, key: str) -> str:
        """The rows of one annotator."""
        return f"{key}/{self.name}.parquet"

    def sound(self, key: str) -> str:
        """The sound one annotator made."""
        return f"{key}/{self.name}.arrow"

    def again(self, key: str) -> str:
        """The rows of one annotator that stand while others are computed again."""
        return f"{AGAIN}/{key}/{self.name}.parquet"

    def answers(self, key: str) -> str:
        """The journal of what a service answered one annotator, while it is at work."""
        return f"{key}/{self.name}{ANSWERS}"


def calibration(family: str) -> str:
    """The thresholds of a calibrated family."""
    return f"calibration/{family}.json"
