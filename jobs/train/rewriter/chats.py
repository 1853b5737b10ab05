"""Pairs as the conversations that `caption=llm` has: its very messages, and the answer to learn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.pairs import Pair
from prompts.rewriter import Prompt
from prompts.rewriter.fence import CLOSE, OPEN
from prompts.rewriter.words import place_of

_DRAWS = 64
"""Orders that are drawn to find those that begin with what the caption tells first: of eight attributes, one
in eight does."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages, and what the model is to answer."""

    messages: tuple[dict[str, str], ...]
    answer: str


def chats(pairs: Sequence[Pair], prompts: Prompts, *, orders: int, seed: int) -> Iterator[Chat]:
    """Each pair with its attributes in up to `orders` different orders.

    Each order begins with what the description tells first, since the prompt asks for that. Of one that
    tells little there are fewer orders.
    """
    for pair in pairs:
        prompt = prompts.sent(pair.language)
        answer = prompt.answer(pair.captions, pair.attributes)
        for messages in _orders(pair, prompt, orders, seed):
            yield Chat(messages, answer)


def _orders(pair: Pair, prompt: Prompt, orders: int, seed: int) -> Iterator[tuple[dict[str, str], ...]]:
    words = (pair.attributes.transcript or "").strip()
    place = place_of(pair.captions.instruction or "", words) if words else None
    first = prompt.file.inputs[pair.captions.conveyed[0]].called if pair.captions.conveyed else None
    fit: dict[tuple[str, ...], tuple[dict[str, str], ...]] = {}
    drawn: list[tuple[dict[str, str], ...]] = []
    for number in range(_DRAWS):
        key = f"{pair.id} {pair.made} order {number}"
        messages = tuple(prompt.messages(pair.attributes, key=key, seed=seed, place=place))
        names = _names(messages[-1]["content"])
        drawn.append(messages)
        if first is None or names[0] == first:
            fit.setdefault(names, messages)
        if len(fit) >= orders:
            break
    yield from fit.values() or drawn[:1]


def _names(content: str) -> tuple[str, ...]:
    """What is known of the clip, in the order shown."""
    return tuple(json.loads(content[content.index(OPEN) + len(OPEN) : content.index(CLOSE)]))
