"""Clips of which everything is known by their number: in memory, or from annotators a job runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from annotators.caption.llm import LlmAnnotator
from pipeline.annotator import Annotator, Heard, Skip, SoundAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Clip, Given
from pipeline.errors import ClipError
from pipeline.job import Job, make_job
from pipeline.pool import Pool
from pipeline.rows import (
    AgeGroup,
    Emotion,
    Emotions,
    Gender,
    Labels,
    Language,
    Level3,
    Pace3,
    Row,
    Sound,
    Speaker,
    Topic,
    Transcript,
)
from pipeline.source.base import Item
from pipeline.way import WaySpec
from tests.make import clip_of

_TOPICS = ("the weather", "football", "a new school", "gardening", "the train to the city")
_THEMES = ("天气", "足球", "新学校", "园艺", "火车")


def rows_of(number: int, language: str = "en", transcript: str | None = None) -> dict[type[Row], Row]:
    """What is known of the clip with that number: 6,000 combinations, and words of its own."""
    pick = _Pick(number)
    gender = pick(get_args(Gender))
    levels = [pick(get_args(Level3)), pick(get_args(Level3)), pick(get_args(Pace3))]
    age, emotion = pick(get_args(AgeGroup)), pick([e for e in get_args(Emotions) if e != "other"])
    topic = pick(_THEMES if language == "zh" else _TOPICS)
    own = (
        f"这是第{number}句话，大家都听得很清楚。"
        if language == "zh"
        else f"This is line {number}, as it was said."
    )
    words = own if transcript is None else transcript
    found: tuple[Row, ...] = (
        Sound(2.0, SAMPLE_RATE_HZ, 1, "fake", -6.0, 0.0, 8000.0, str(number)),
        Language(language, "given", None),
        Speaker(gender, "given", None, None, None, None),
        Labels(levels[0], gender, levels[1], levels[2], age),
        Emotion(emotion, "given", None, None),
        Topic(topic, "given"),
        Transcript(words, words, "given", None),
    )
    return {type(row): row for row in found}


def clips_of(count: int, language: str = "en", transcript: str | None = None) -> list[Clip]:
    """Clips as a caption annotator is handed them."""
    return [
        clip_of(id=f"clip-{n}", rows=list(rows_of(n, language, transcript).values())) for n in range(count)
    ]


def items_of(count: int, language: str = "en", start: int = 0) -> list[Item]:
    """The same clips as a source yields them."""
    numbers = range(start, start + count)
    return [Item(f"clip-{n}", AudioRef(f"{n}.wav"), Given(language=language)) for n in numbers]


def job_of(options: Mapping[str, object], *, shard_size: int = 20, **rest: Any) -> Job:
    """All that is known, and captions by a model."""
    ways = [WaySpec(cls.row.family, "known", cls) for cls in KNOWN]
    specs = [*ways, WaySpec("caption", "llm", LlmAnnotator, options)]
    return make_job(specs, shard_size=shard_size, keep_sound=False, **rest)


def llm_pool(actors: int) -> tuple[Pool, ...]:
    """A pool for captions beside the one for all else."""
    return Pool("cpu"), Pool("llm", cpus=0.5, actors=actors, families=frozenset({"caption"}))


class _Pick:
    """One of several, by the digits of a number."""

    def __init__(self, number: int) -> None:
        self._left = number * 7919  # a prime: neighbours differ in everything

    def __call__(self, values: Sequence[Any]) -> Any:
        self._left, digit = divmod(self._left, len(values))
        return values[digit]


class KnownSound(SoundAnnotator[Sound]):
    """Hardly any sound."""

    row = Sound
    version = 1

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Sound] | Skip | ClipError]:
        """Ten samples."""
        rows = [rows_of(_number(clip))[Sound] for clip in clips]
        return [Heard(row, np.zeros(10, np.float32)) for row in rows if isinstance(row, Sound)]


class _Known(Annotator[Any]):
    version = 1
    needs = (Sound,)
    sees = frozenset({"language"})
    batch_clips = 1000

    def annotate(self, clips: Sequence[Clip]) -> list[Any]:
        """What is known."""
        return [rows_of(_number(clip), clip.given.language or "en")[self.row] for clip in clips]


class KnownLanguage(_Known):
    """The language."""

    row = Language


class KnownSpeaker(_Known):
    """Who speaks."""

    row = Speaker


class KnownLabels(_Known):
    """The labels."""

    row = Labels


class KnownEmotion(_Known):
    """The mood."""

    row = Emotion


class KnownTopic(_Known):
    """The topic."""

    row = Topic


class KnownTranscript(_Known):
    """The words."""

    row = Transcript


KNOWN: tuple[type[Annotator[Any]], ...] = (
    KnownSound,
    KnownLanguage,
    KnownSpeaker,
    KnownLabels,
    KnownEmotion,
    KnownTopic,
    KnownTranscript,
)


def _number(clip: Clip) -> int:
    return int(clip.id.rpartition("-")[2])
