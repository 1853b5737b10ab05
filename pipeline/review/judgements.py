"""What people said, in reviews/<digest of the name>/<session>.jsonl: a line a judgement, none ever changed.

A session's file is written whole and atomically for every judgement (500 of them are 150 kB), so that
what was kept is kept, on object storage too, and two sessions never write one file.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from pipeline.errors import RunError
from pipeline.review.corrections import ATTRIBUTES, MOST_CHARACTERS, Correction
from pipeline.storage import Store

REVIEWS = "reviews"
MOST_LINES = 500
"""Of a session's file; then another begins."""
Verdict = Literal["accept", "reject", "correct", "withdraw"]
_STRENGTH = {"accept": 0, "reject": 1, "correct": 2}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one person said of one attribute of one clip.

    `value` is what they judged, None where there was none; `correction` what is right instead, and
    `place` which word of the transcript it is, from 0. `withdraw` takes their last judgement back. `at`
    is in UTC, `shard` where the clip stood, `sound` the hash of what they heard.
    """

    clip: str
    attribute: str
    verdict: Verdict
    value: str | None
    correction: str | None
    place: int | None
    reviewer: str
    at: str
    shard: str
    sound: str | None

    def fault(self) -> str | None:
        """Why it says nothing, in a sentence; None where it does."""
        if self.attribute not in ATTRIBUTES:
            return f"There is no attribute {self.attribute!r:.60} to judge."
        if self.verdict not in get_args(Verdict):
            return f"There is no verdict {self.verdict!r:.60}."
        if (self.verdict == "correct") != (self.correction is not None):
            return "A correction says what is right, and nothing else does."
        if self.correction is None:
            return None
        choices = ATTRIBUTES[self.attribute].choices
        if choices and self.correction not in choices:
            return f"{ATTRIBUTES[self.attribute].title} is one of {', '.join(choices)}."
        if not self.correction.strip():
            return "A correction is not empty: reject what is wrong."
        if len(self.correction) > MOST_CHARACTERS:
            return f"A correction has at most {MOST_CHARACTERS:,} characters."
        return None


OfClip = Mapping[str, Mapping[str, Judgement]]
"""By attribute, the judgement of each reviewer that counts."""


def now() -> str:
    """The time, to order judgements by."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Session:
    """One person's judgements from one sitting. A new one begins with every process."""

    def __init__(self, store: Store, reviewer: str) -> None:
        self._store = store
        self._folder = f"{REVIEWS}/{hashlib.blake2b(reviewer.encode(), digest_size=6).hexdigest()}"
        self._begin()

    def _begin(self) -> None:
        started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        self._path = f"{self._folder}/{started}-{uuid.uuid4().hex[:8]}.jsonl"
        self._lines = 0

    def keep(self, judgement: Judgement) -> None:
        """Keep it for good. The file is read again first: what was forgotten since stays forgotten."""
        if self._lines >= MOST_LINES:
            self._begin()
        known = self._store.read(self._path) if self._lines and self._store.exists(self._path) else b""
        line = json.dumps(asdict(judgement), ensure_ascii=False) + "\n"
        self._store.write(self._path, known + line.encode("utf-8", "replace"))
        self._lines += 1


def read(store: Store) -> list[Judgement]:
    """Every judgement, in the order of time. RunError for a file that is none."""
    found = [judgement for path in sorted(store.names(REVIEWS)) for judgement in _lines(store, path)]
    return sorted(found, key=lambda j: (j.at, j.reviewer))


def _lines(store: Store, path: str) -> list[Judgement]:
    if not path.endswith(".jsonl"):
        return []
    try:
        lines = [json.loads(line) for line in store.read(path).decode().split("\n") if line.strip()]
        return [Judgement(**line) for line in lines]
    except (ValueError, TypeError) as error:
        raise RunError(f"{store.full(path)} is not a file of judgements: move it away.") from error


def standing(judgements: Iterable[Judgement]) -> dict[str, OfClip]:
    """By clip: the last judgement of each person on each attribute, the withdrawn left out."""
    found: dict[str, dict[str, dict[str, Judgement]]] = {}
    for one in judgements:
        by_reviewer = found.setdefault(one.clip, {}).setdefault(one.attribute, {})
        by_reviewer.pop(one.reviewer, None)
        if one.verdict != "withdraw" and one.fault() is None:
            by_reviewer[one.reviewer] = one
    return {clip: kept for clip, of in found.items() if (kept := {a: by for a, by in of.items() if by})}


def heard_as(of_clip: OfClip, sound: str | None) -> OfClip:
    """Those of people who heard this sound, by its hash; where either is not known, all."""
    kept = {
        attribute: {who: j for who, j in by.items() if None in (sound, j.sound) or j.sound == sound}
        for attribute, by in of_clip.items()
    }
    return {attribute: by for attribute, by in kept.items() if by}


def decided(by_reviewer: Mapping[str, Judgement]) -> Judgement:
    """What stands where several people judged: a correction before a rejection before an acceptance, and
    of equals the last."""
    return max(by_reviewer.values(), key=lambda j: (_STRENGTH[j.verdict], j.at, j.reviewer))


def corrections(of_clip: OfClip) -> tuple[Correction, ...]:
    """What changes the clip's rows, in the order of attributes. Acceptances change nothing."""
    found = []
    for attribute in ATTRIBUTES:
        if attribute in of_clip:
            one = decided(of_clip[attribute])
            if one.verdict == "correct":
                found.append(Correction(attribute, "correct", one.correction, one.place))
            elif one.verdict == "reject":
                found.append(Correction(attribute, "reject", one.value))
    return tuple(found)


def forget(store: Store, ids: Collection[str]) -> None:
    """Take what was said of these clips out of every file."""
    for path in sorted(store.names(REVIEWS)):
        known = _lines(store, path)
        left: Sequence[Judgement] = [one for one in known if one.clip not in ids]
        if len(left) < len(known):
            lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in left]
            store.write(path, "".join(lines).encode()) if left else store.remove(path)
