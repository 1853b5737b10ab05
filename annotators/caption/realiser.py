"""Captions by grammar: fluent, exact, and no model needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import (
    Caption,
    Emotion,
    Emphasis,
    Labels,
    Language,
    Row,
    Sound,
    Speaker,
    Topic,
    Transcript,
)
from prompts.realiser import Attributes, digest, realise

_NOBODY = Speaker(None, None, None, None, None, None)
_NO_LABELS = Labels(None, None, None, None, None)
_NO_EMOTION = Emotion(None, None, None, None)


class RealiserAnnotator(Annotator[Caption]):
    """Tells what the other annotators found, and nothing else; the same clip id, the same captions."""

    row: ClassVar[type[Row]] = Caption
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[type[Row], ...]] = (Sound,)
    wants: ClassVar[tuple[type[Row], ...]] = (
        Language,
        Transcript,
        Speaker,
        Emotion,
        Emphasis,
        Topic,
        Labels,
    )
    batch_clips = 256

    def __init__(
        self,
        *,
        language: Annotated[
            Literal["auto", "en", "zh"],
            Option("language of the captions; auto: Chinese for Chinese clips, English for all others"),
        ] = "auto",
        seed: Annotated[int, Option("another seed, other captions", low=0)] = 0,
    ) -> None:
        self._language = language
        self._seed = seed

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The text of lexicons and grammar: a word changed there changes the captions."""
        return digest()

    def annotate(self, clips: Sequence[Clip]) -> list[Caption]:
        """A caption for every clip, whatever is known of it."""
        return [self._caption(clip) for clip in clips]

    def _caption(self, clip: Clip) -> Caption:
        language = self._language_of(clip)
        captions = realise(_attributes(clip), language=language, key=clip.id, seed=self._seed)
        return Caption(captions.description, captions.instruction, language, "realiser", captions.conveyed)

    def _language_of(self, clip: Clip) -> Literal["en", "zh"]:
        if self._language != "auto":
            return self._language
        spoken = clip.maybe(Language)
        return "zh" if spoken is not None and spoken.language == "zh" else "en"


def _attributes(clip: Clip) -> Attributes:
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
