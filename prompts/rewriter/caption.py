"""The prompt that captions are written with: what is known of a clip in, description and instruction out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import get_args

from pipeline.rows import AgeGroup, Emotions, Gender, Level3, Pace3
from prompts.realiser.attributes import Attributes, Captions
from prompts.realiser.draw import Draw
from prompts.realiser.facts import CAPTION, FREE, values_of
from prompts.realiser.quoting import bare_word, one_line
from prompts.rewriter.answer import schema_of, strings_of
from prompts.rewriter.examples import Example, answer_of, example_of
from prompts.rewriter.fence import asked, defused, shortened
from prompts.rewriter.file import Input, Kind, Language, PromptFile, read
from prompts.rewriter.words import Place, put_in, taken_out

_START, _MIDDLE = 0.0555, 0.3305
"""Shares of instructions asked to have their words first and in the middle (SpeechCraft, section 4.3)."""
_VALUES: Mapping[str, Sequence[str]] = {
    "gender": get_args(Gender),
    "age": get_args(AgeGroup),
    "pitch": get_args(Level3),
    "energy": get_args(Level3),
    "speed": get_args(Pace3),
    "emotion": [value for value in get_args(Emotions) if value != "other"],
    "emphasis": (),
    "topic": (),
    "transcript": (),
    "place": get_args(Place),
}
_KIND = Kind(
    inputs=_VALUES,
    optional=frozenset({"place"}),
    limits={
        "transcript": (40, 4000),
        "text": (20, 400),
        "description": (100, 4000),
        "instruction": (100, 4000),
    },
    marked=True,
    example=frozenset({"given", "description", "instruction"}),
)


@dataclass(frozen=True, eq=False)
class Prompt:
    """A caption prompt, ready to be asked for any number of clips.

    `digest` changes with any byte of the file, and without its examples; `fixed` is all that is the same
    for every clip.
    """

    name: str
    version: int
    language: Language
    digest: str
    file: PromptFile = field(repr=False)
    examples: tuple[Example, ...] = field(repr=False)

    @cached_property
    def schema(self) -> Mapping[str, object]:
        """The JSON schema of the answer: two strings."""
        return schema_of(self._lengths)

    @cached_property
    def fixed(self) -> str:
        """System text, examples and closing request, as text."""
        return "\n\n".join([*(message["content"] for message in self._prefix), self.file.request])

    def bare(self) -> Prompt:
        """The same prompt without its examples: for a model tuned to answer it; a third of the text."""
        return replace(self, digest=f"{self.digest}-bare", examples=())

    def messages(
        self,
        attributes: Attributes,
        *,
        key: str,
        seed: int = 0,
        faults: Sequence[str] = (),
        place: Place | None = None,
    ) -> list[dict[str, str]]:
        """The chat messages for one clip; all but the last are the same for every clip.

        In which order the attributes stand, by which synonym a value is shown and, unless `place` says it,
        where the words are to go is drawn by (seed, key); the key itself is not shown. `faults` say why the
        last answer was rejected.
        """
        data = self._shown(attributes, Draw(seed, key, "prompt"), None, place)
        return [*map(dict, self._prefix), {"role": "user", "content": self._asked(data, faults)}]

    def read(self, answer: str, attributes: Attributes) -> Captions:
        """The captions in an answer, on one line each, the words put in where the mark stands.

        AnswerError if it is not the JSON that was asked for. `conveyed` names what was to be told, in the
        order of CONVEYABLE: whether it was is for the check to find.
        """
        strings = strings_of(answer, self._lengths)
        instruction, words = None, (attributes.transcript or "").strip()
        if words:
            instruction = put_in(strings["instruction"], self.file.mark, words, self.language)
        told = tuple(values_of(attributes, self.language))
        return Captions(one_line(strings["description"]), instruction, told)

    def answer(self, captions: Captions, attributes: Attributes) -> str:
        """The answer that reads as these captions: what a model is trained to write.

        It has the mark in place of the words; where that would not read the same, the words.
        """
        words = (attributes.transcript or "").strip()
        instruction = captions.instruction or ""
        marked = taken_out(instruction, self.file.mark, words, self.language)
        return answer_of(captions.description, marked)

    @cached_property
    def _lengths(self) -> dict[str, int]:
        return {name: self.file.limits[name] for name in ("description", "instruction")}

    @cached_property
    def _prefix(self) -> tuple[dict[str, str], ...]:
        turns = [{"role": "system", "content": self.file.system}]
        for example in self.examples:
            data = self._shown(example.attributes, None, example.order, example.place)
            turns.append({"role": "user", "content": self._asked(data, ())})
            turns.append({"role": "assistant", "content": example.answer})
        return tuple(turns)

    def _asked(self, data: Mapping[str, str], faults: Sequence[str]) -> str:
        return asked(data, faults, rejected=self.file.rejected, request=self.file.request)

    def _shown(
        self, attributes: Attributes, draw: Draw | None, order: Sequence[str] | None, place: Place | None
    ) -> dict[str, str]:
        """What the model is shown, by the names of the file.

        Without an order it is drawn, and so is the place; without a draw, values go by their first word.
        """
        values = values_of(attributes, self.language)
        inputs, limits = self.file.inputs, self.file.limits
        free = {
            "emphasis": bare_word(attributes.emphasis_word),
            "topic": attributes.topic,
            "emotion": attributes.emotion_caption,
        }
        data = {}
        for name in order or (draw.shuffled(list(values)) if draw else values):
            value = values[name]
            if value in (FREE, CAPTION):
                data[inputs[name].called] = shortened(free[name], limits["text"])
            else:
                data[inputs[name].called] = _word(inputs[name], value, draw)
        if defused(attributes.transcript):
            data[inputs["transcript"].called] = shortened(attributes.transcript, limits["transcript"])
            if "place" in inputs and (where := place or _place(draw)):
                data[inputs["place"].called] = _word(inputs["place"], where, draw)
        return data


def load(name_or_path: str, language: Language) -> Prompt:
    """The caption prompt of a built-in name or a file; PromptError in one sentence if it cannot be used."""
    file = read(name_or_path, language, _KIND)
    examples = tuple(example_of(file, values=_VALUES, example=example) for example in file.examples)
    return Prompt(file.name, file.version, file.language, file.digest, file, examples)


def _word(shown: Input, value: str, draw: Draw | None) -> str:
    words = shown.values[value]
    return draw.one(words) if draw else words[0]


def _place(draw: Draw | None) -> Place | None:
    if draw is None:
        return None
    if draw.chance(_START):
        return "start"
    return "middle" if draw.chance(_MIDDLE / (1 - _START)) else "end"
