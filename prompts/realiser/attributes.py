"""What goes into the realiser, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.rows import AgeGroup, Emotions, Gender, Level3, Pace3

CONVEYABLE = ("gender", "age", "pitch", "energy", "speed", "emotion", "emphasis", "topic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What is known of how a clip is said, and its words. None: nothing is known, nothing is said.

    `emotion_caption` stands in for `emotion` where it is written in the language of the captions.
    """

    gender: Gender | None = None
    age_group: AgeGroup | None = None
    pitch_label: Level3 | None = None
    energy_label: Level3 | None = None
    speed_label: Pace3 | None = None
    emotion: Emotions | None = None
    emotion_caption: str | None = None
    emphasis_word: str | None = None
    topic: str | None = None
    transcript: str | None = None


@dataclass(frozen=True, slots=True)
class Captions:
    """Two captions of one clip.

    `instruction` is None without a transcript; `conveyed` names the attributes of CONVEYABLE in the
    order in which the description tells them.
    """

    description: str
    instruction: str | None
    conveyed: tuple[str, ...]
