"""The prompt that topics are found with: title, description, category and transcript in, a few words out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.text import script_of, words
from prompts.realiser.quoting import is_chinese, one_line
from prompts.rewriter.answer import schema_of, strings_of
from prompts.rewriter.errors import AnswerError
from prompts.rewriter.fence import asked, shortened
from prompts.rewriter.file import Kind, Language, PromptFile, read

_SOURCES = ("category", "title", "description", "transcript")
_WORDS, _CHARACTERS, _CHINESE = 5, 40, 15
"""The longest topic: words and characters in English, characters in Chinese."""
_EDGE = re.compile(r"^[^\w]+|[^\w)!?%+#）]+$")
_NO_TOPIC = frozenset({"none", "n/a", "unknown", "no topic", "null", "无", "未知", "无话题", "没有话题"})
_KIND = Kind(
    inputs=dict.fromkeys(_SOURCES, ()),
    optional=frozenset(),
    limits={**dict.fromkeys(_SOURCES, (20, 4000)), "topic": (10, 200)},
    marked=False,
    example=frozenset({"given", "topic"}),
)


@dataclass(frozen=True, eq=False)
class TopicPrompt:
    """A topic prompt, ready to be asked for any number of clips; `fixed` is the same for every clip."""

    name: str
    version: int
    language: Language
    digest: str
    file: PromptFile = field(repr=False)

    @cached_property
    def schema(self) -> Mapping[str, object]:
        """The JSON schema of the answer: one string."""
        return schema_of(self._lengths)

    @cached_property
    def fixed(self) -> str:
        """System text, examples and closing request, as text."""
        return "\n\n".join([*(message["content"] for message in self._prefix), self.file.request])

    def messages(
        self,
        *,
        title: str | None = None,
        description: str | None = None,
        category: str | None = None,
        transcript: str | None = None,
        faults: Sequence[str] = (),
    ) -> list[dict[str, str]]:
        """The chat messages for one clip; all but the last are the same for every clip."""
        known = {
            "category": category,
            "title": title,
            "description": description,
            "transcript": transcript,
        }
        return [*map(dict, self._prefix), {"role": "user", "content": self._asked(known, faults)}]

    def read(self, answer: str, *, transcript: str | None = None) -> str | None:
        """The topic, cleaned; None where the model says there is none, or repeats the whole transcript.

        AnswerError: not the JSON asked for, too long, or in another script than the language's.
        """
        topic = _EDGE.sub("", one_line(strings_of(answer, self._lengths)["topic"]))
        spoken = words((transcript or "").casefold())
        if topic.casefold() in _NO_TOPIC or script_of(topic) is None or words(topic.casefold()) == spoken:
            return None
        if self.language == "en" and script_of(topic) != "latin":
            raise AnswerError("The topic is not in English.")
        if self.language == "zh" and not is_chinese(topic):
            raise AnswerError("The topic is not in Chinese.")
        if self.language == "zh" and len(topic) > _CHINESE:
            raise AnswerError(f"The topic has {len(topic)} characters; it may have {_CHINESE}.")
        if self.language == "en" and (len(words(topic)) > _WORDS or len(topic) > _CHARACTERS):
            raise AnswerError(f"The topic may have {_WORDS} words and {_CHARACTERS} characters; it has more.")
        return topic

    @cached_property
    def _lengths(self) -> dict[str, int]:
        return {"topic": self.file.limits["topic"]}

    @cached_property
    def _prefix(self) -> tuple[dict[str, str], ...]:
        turns = [{"role": "system", "content": self.file.system}]
        for example in self.file.examples:
            answer = json.dumps({"topic": example["topic"]}, ensure_ascii=False)
            turns.append({"role": "user", "content": self._asked(example["given"], ())})
            turns.append({"role": "assistant", "content": answer})
        return tuple(turns)

    def _asked(self, known: Mapping[str, str | None], faults: Sequence[str]) -> str:
        shown = {name: shortened(known.get(name), self.file.limits[name]) for name in _SOURCES}
        data = {self.file.inputs[name].called: text for name, text in shown.items() if text}
        return asked(data, faults, rejected=self.file.rejected, request=self.file.request)


def load_topic(name_or_path: str, language: Language) -> TopicPrompt:
    """The topic prompt of a built-in name or of a file; PromptError in one sentence if it cannot be used."""
    file = read(name_or_path, language, _KIND)
    for example in file.examples:
        given, topic = example["given"], example["topic"]
        known = isinstance(given, dict) and set(given) <= set(_SOURCES)
        if not known or not all(isinstance(text, str) for text in (*given.values(), topic)):
            file.fail(f"must have in each example a topic, and under 'given' texts of: {', '.join(_SOURCES)}")
    return TopicPrompt(file.name, file.version, file.language, file.digest, file)
