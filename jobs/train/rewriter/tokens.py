"""Chats as tokens, by the model's own chat template; only the answer has labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jobs.train.rewriter.chats import Chat
from pipeline.errors import UsageError

PLAIN = (
    "{% for message in messages %}{{ '### ' + message['role'] + '\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant\n' }}{% endif %}"
)
"""The chat template of a model that has none; it is written beside the adapter for the server."""
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Tokens:
    """A chat's tokens; the first `prompt` of them are not learnt."""

    ids: tuple[int, ...]
    prompt: int

    @property
    def labels(self) -> list[int]:
        """The tokens of the answer, with -100 in place of all before."""
        return [IGNORED] * self.prompt + list(self.ids[self.prompt :])


def tokenised(chats: Iterable[Chat], tokenizer: Any, longest: int) -> tuple[list[Tokens], int]:
    """The chats that fit into `longest` tokens, and how many do not: a cut answer would teach to stop."""
    found, too_long = [], 0
    for chat in chats:
        tokens = tokens_of(chat, tokenizer)
        if len(tokens.ids) <= longest:
            found.append(tokens)
        else:
            too_long += 1
    return found, too_long


def tokens_of(chat: Chat, tokenizer: Any) -> Tokens:
    """The chat as a server would have it: the prompt with the head of the answer's turn, then the answer.

    What a template puts before the answer of its own (an empty thought) is left out: a server that
    constrains the answer to JSON begins with the brace.
    """
    prompt = prompt_of(chat, tokenizer)
    whole = _templated(tokenizer, [*chat.messages, {"role": "assistant", "content": chat.answer}], False)
    begin = whole.rfind(chat.answer)
    if begin < 0:
        raise UsageError("The chat template of the model changes the text of answers.")
    end = whole[begin + len(chat.answer) :].rstrip() or tokenizer.eos_token
    ids = _ids(tokenizer, prompt)
    return Tokens((*ids, *_ids(tokenizer, chat.answer + end)), len(ids))


def prompt_of(chat: Chat, tokenizer: Any) -> str:
    """The text a server puts before the model."""
    return _templated(tokenizer, list(chat.messages), True)


def _templated(tokenizer: Any, messages: list[dict[str, str]], answering: bool) -> str:
    from jinja2.exceptions import TemplateError

    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answering))
    except TemplateError as error:
        raise UsageError(f"The chat template of the model does not take our messages: {error}.") from error


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
