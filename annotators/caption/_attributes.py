"""What the captions of a clip are to tell, and in which language: the same for every way to write them."""

from __future__ import annotations

from typing import Literal

from pipeline.clip import Clip
from pipeline.rows import Emotion, Emphasis, Labels, Language, Row, Speaker, Topic, Transcript
from prompts.realiser import Attributes

READS: tuple[type[Row], ...] = (Language, Transcript, Speaker, Emotion, Emphasis, Topic, Labels)

_NOBODY = Speaker(None, None, None, None, None, None)
_NO_LABELS = Labels(None, None, None, None, None)
_NO_EMOTION = Emotion(None, None, None, None)


def language_of(clip: Clip, wanted: Literal["auto", "en", "zh"]) -> Literal["en", "zh"]:
    """The language of the captions; auto: Chinese for Chinese clips, English for all others."""
    if wanted != "auto":
        return wanted
    spoken = clip.maybe(Language)
    return "zh" if spoken is not None and spoken.language == "zh" else "en"


def attributes_of(clip: Clip) -> Attributes:
    """All that is known of how the clip is said, and its words."""
    speaker = clip.maybe(Speaker) or _NOBODY
    labels = clip.maybe(Labels) or _NO_LABELS
    emotion = clip.maybe(Emotion) or _NO_EMOTION
    emphasis, topic, transcript = clip.maybe(Emphasis), clip.maybe(Topic), clip.maybe(Transcript)
    return Attributes(
        gender=speaker.gender,
        age_group=labels.age_group,
        pitch_label=labels.pitch_label,
        energy_label=labels.energy_label,
        speed_label=labels.speed_label,
        emotion=emotion.emotion,
        emotion_caption=emotion.emotion_caption,
        emphasis_word=emphasis.emphasis_word if emphasis else None,
        topic=topic.topic if topic else None,
        transcript=transcript.transcript if transcript else None,
    )
