"""What an annotator asks with: many clips at once, and every answer in the journal the moment it comes."""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from annotators._chat.body import Question
from annotators._chat.chat import Chat
from annotators._chat.loop import Loop, each
from annotators._chat.reply import Answer
from pipeline.annotator import Away
from pipeline.journal import Journal

S = TypeVar("S")
T = TypeVar("T")


class Asker:
    """A chat with the thread it lives in; both end with it."""

    def __init__(
        self,
        endpoint: str | Sequence[str],
        *,
        model: str,
        api_key_env: str | None,
        timeout_s: float,
        in_flight: int,
    ) -> None:
        self._chat = Chat(endpoint, model=model, api_key_env=api_key_env, timeout_s=timeout_s)
        self._in_flight = in_flight
        self._loop = Loop()
        self._end = weakref.finalize(self, self._loop.close, self._chat.close)

    def each(
        self, clips: Sequence[S], work: Callable[[S], Awaitable[T]], alive: Callable[[], None]
    ) -> list[T]:
        """What `work` makes of every clip, in order, `in_flight` of them at once."""
        return self._loop.run(each(clips, work, self._in_flight), alive)

    async def ask(self, name: str, question: Question, journal: Journal) -> Answer:
        """The answer: as the journal has it under this name and text, else of an endpoint.

        Raises EndpointError and RequestError as `Chat.ask` does.
        """
        key = f"{question.digest()} {name}"
        known = journal.recall(key)
        if known is not None:
            return Answer(*json.loads(known))
        answer = await self._chat.ask(question)
        journal.note(key, json.dumps([answer.text, answer.truncated, answer.fault]))
        return answer

    def away(self) -> list[Away]:
        """The endpoints that do not answer now."""
        return self._chat.away()

    def waited_s(self) -> float:
        """Seconds in which questions waited and no endpoint was there."""
        return self._chat.waited_s()

    def close(self) -> None:
        """Cut the connections and end the thread."""
        self._end()


def seed_of(seed: int, clip_id: str, attempt: int) -> int:
    """The seed of one request, 0..2^31-1: its own for every clip and attempt, the same in every run."""
    text = f"{seed} {attempt} {clip_id}"
    found = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(found) & 0x7FFFFFFF
