"""Captions by grammar: fluent, exact, and no model needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from annotators.caption._attributes import READS, attributes_of, language_of
from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Caption, Row, Sound
from prompts.realiser import digest, realise


class RealiserAnnotator(Annotator[Caption]):
    """Tells what the other annotators found, and nothing else; the same clip id, the same captions."""

    row: ClassVar[type[Row]] = Caption
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[type[Row], ...]] = (Sound,)
    wants: ClassVar[tuple[type[Row], ...]] = READS
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
        language = language_of(clip, self._language)
        captions = realise(attributes_of(clip), language=language, key=clip.id, seed=self._seed)
        return Caption(captions.description, captions.instruction, language, "realiser", captions.conveyed)
