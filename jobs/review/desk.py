"""One person's desk: the clips before them, what they said of each, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from jobs.review.sample import Sampled
from pipeline.errors import UsageError
from pipeline.review.corrections import ATTRIBUTES, Attribute
from pipeline.review.judgements import Judgement, Session, Verdict, now, read, standing
from pipeline.storage import Store

STATES = {"accept": "accepted", "reject": "rejected", "correct": "corrected"}


class NotJudged(UsageError):
    """What was sent says nothing of any clip here; one sentence."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the person says of an attribute. `state` is empty where they say nothing."""

    state: str = ""
    correction: str = ""


class Desk:
    """Keeps each judgement at once. Safe to call from several threads.

    A person judges what the run found, not what somebody else made of it, so that two who review the same
    clips do so independently.
    """

    def __init__(self, store: Store, reviewer: str, clips: Sequence[Sampled]) -> None:
        self.reviewer = reviewer
        self.clips = {clip.key: clip for clip in clips}
        self.order = [clip.key for clip in clips]
        self._session = Session(store, reviewer)
        self._lock = Lock()
        self._said: dict[tuple[str, str], Judgement] = {}
        self._overruled: set[tuple[str, str]] = set()
        self._done: list[tuple[str, str, Judgement | None]] = []
        for clip, of in standing(read(store)).items():
            for attribute, by in of.items():
                if any(one.verdict != "accept" for one in by.values()):
                    self._overruled.add((clip, attribute))
                if reviewer in by:
                    self._said[clip, attribute] = by[reviewer]

    def attributes(self, clip: Sampled) -> list[Attribute]:
        """What of the clip is judged: what its run tells."""
        return [a for a in ATTRIBUTES.values() if a.name in clip.row]

    def overruled(self, clip: Sampled) -> set[str]:
        """The attributes of which the dataset may hold a person's word instead of the run's."""
        return {attribute for id, attribute in self._overruled if id == clip.id}

    def said(self, clip: Sampled, attribute: str) -> Said:
        """What the person says of it."""
        one = self._said.get((clip.id, attribute))
        return Said() if one is None else Said(STATES[one.verdict], one.correction or "")

    def judge(
        self, clip: Sampled, attribute: str, verdict: Any, value: str | None, correction: Any, place: Any
    ) -> Said:
        """Keep a judgement of the value. Raises NotJudged; what the store raises when it cannot be kept."""
        text = correction.strip() if isinstance(correction, str) else None
        if verdict == "correct" and text is not None and text == value:
            verdict, text, place = "accept", None, None
        one = self._judgement(clip, attribute, verdict, value, text, place)
        with self._lock:
            self._session.keep(one)
            self._done.append((clip.key, attribute, self._said.get((clip.id, attribute))))
            self._said[clip.id, attribute] = one
        return self.said(clip, attribute)

    def undo(self) -> tuple[str, str] | None:
        """Take back the last judgement of this sitting; what was said before it stands again. The clip's key
        and the attribute; None where there is nothing to take back."""
        with self._lock:
            if not self._done:
                return None
            key, attribute, before = self._done[-1]
            id = self.clips[key].id
            last = self._said[id, attribute]
            if before is None:
                self._session.keep(replace(last, verdict="withdraw", correction=None, place=None, at=now()))
                del self._said[id, attribute]
            else:
                self._said[id, attribute] = replace(before, at=now())
                self._session.keep(self._said[id, attribute])
            self._done.pop()
            return key, attribute

    def judged(self) -> int:
        """Clips of the sample of which anything was said."""
        ids = {id for id, _ in self._said}
        return sum(clip.id in ids for clip in self.clips.values())

    def _judgement(
        self, clip: Sampled, attribute: str, verdict: Any, value: str | None, text: str | None, place: Any
    ) -> Judgement:
        known: Verdict = verdict
        sound = clip.row.get("sound_hash")
        one = Judgement(
            clip.id,
            attribute,
            known,
            value,
            text,
            place if isinstance(place, int) and place >= 0 else None,
            self.reviewer,
            now(),
            clip.shard.name,
            sound,
        )
        if attribute not in clip.row:
            raise NotJudged(f"The run tells no {attribute!r:.60} of this clip.")
        if (fault := one.fault()) is not None:
            raise NotJudged(fault)
        return one
