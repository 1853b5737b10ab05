"""Questions to a pool of endpoints: each to the least busy, again and again until one answers.

An endpoint that fails is left alone for a while, longer each time, and then asked for its models before it
is asked anything else. Questions wait meanwhile, for ever if need be. One is given up only where the
endpoints answer others and fail on it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any

from annotators._chat.address import addresses, api_key
from annotators._chat.body import FORMATS, Form, Question, Sampling
from annotators._chat.endpoint import FIRST_WAIT_S, Endpoint, listed, session, timeout_of
from annotators._chat.errors import EndpointError, RequestError
from annotators._chat.reply import Answer, Failure, read
from pipeline.annotator import Away

MOST_BLAMED = 8
"""So often may a question fail though others are answered meanwhile: where three of ten requests fail by
chance, one question in 15,000 does."""
LEFT_AFTER = 3
"""Failures in a row after which an endpoint is left alone; before that only the question waits."""
AWAY_S = 10.0
"""An endpoint that is away for less is told to nobody."""


class Chat:
    """Asks a pool. Lives in one event loop, from the first question until `close`."""

    def __init__(
        self,
        endpoint: str | Sequence[str],
        *,
        model: str,
        api_key_env: str | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        key = api_key(api_key_env)
        self._endpoints = [Endpoint(address, key) for address in addresses(endpoint)]
        self._model, self._timeout = model, timeout_of(timeout_s)
        one_token = Form(Sampling(model, temperature=0.0, top_p=1.0, max_tokens=1), {})
        self._probe = Question(one_token, ({"role": "user", "content": "Hi"},), 0)
        self._session: Any = None
        self._there = asyncio.Event()
        self._there.set()
        self._turn = 0
        self._waiting = 0
        self._wait_began_s = self._waited_s = 0.0
        self._recoveries: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Cut the connections."""
        for task in self._recoveries:
            task.cancel()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, question: Question) -> Answer:
        """The answer of whichever endpoint gives one.

        Raises EndpointError if one says that key, model or address are wrong, and RequestError if this
        question is refused for what it is.
        """
        if self._session is None:
            self._session = session()
        seen: dict[Endpoint, int] = {}
        blamed = 0
        while True:
            endpoint = await self._take()
            found = await self._once(endpoint, question)
            if isinstance(found, Answer):
                endpoint.answered += 1
                endpoint.failures = endpoint.leaves = 0
                return found
            if found.kind == "broken":
                blamed += endpoint.answered > seen.get(endpoint, endpoint.answered)
                seen[endpoint] = endpoint.answered
                if blamed >= MOST_BLAMED:
                    raise RequestError(f"The endpoint answers others and fails on this: {found.reason}.")
            await self._leave(endpoint, found)

    def away(self) -> list[Away]:
        """The endpoints that have been away for a while, with the questions that wait; from any thread."""
        now = time.monotonic()
        return [
            Away(e.address, failure.reason, e.away_since, self._waiting)
            for e in self._endpoints
            if (failure := e.away) is not None and now - e.away_since_s > AWAY_S
        ]

    def waited_s(self) -> float:
        """Seconds, up to the last answer, in which questions waited and no endpoint was there to be asked."""
        return self._waited_s

    async def _take(self) -> Endpoint:
        """The least busy endpoint that is there; among equals each in turn."""
        while True:
            there = [e for e in self._endpoints if e.away is None]
            if there:
                self._turn += 1
                return min(
                    (there[(self._turn + i) % len(there)] for i in range(len(there))),
                    key=lambda e: e.in_flight,
                )
            self._there.clear()
            if not self._waiting:
                self._wait_began_s = time.monotonic()
            self._waiting += 1
            try:
                await self._there.wait()
            finally:
                self._waiting -= 1
                if not self._waiting:
                    self._waited_s += time.monotonic() - self._wait_began_s

    async def _once(self, endpoint: Endpoint, question: Question) -> Answer | Failure:
        """An answer, or why this endpoint has none. A form of answers it does not know is not asked again."""
        for level in range(endpoint.level, len(FORMATS)):
            found = await self._post(endpoint, question.body(level))
            if isinstance(found, Answer):
                endpoint.level = max(endpoint.level, level)
                return found
            if found.kind == "too_long" or (found.kind == "format" and level + 1 == len(FORMATS)):
                raise RequestError(f"The endpoint refuses this request: {found.reason}.")
            if found.kind in ("barred", "unknown"):
                raise await self._useless(endpoint, found)
            if found.kind != "format":
                return found
        raise AssertionError("the last form is asked for or refused")

    async def _post(self, endpoint: Endpoint, body: bytes) -> Answer | Failure:
        endpoint.in_flight += 1
        try:
            reply = await endpoint.chat(self._session, body, self._timeout)
        finally:
            endpoint.in_flight -= 1
        if isinstance(reply, Failure):
            return reply
        found = read(*reply)
        if isinstance(found, Failure):
            return Failure(found.kind, endpoint.safe(found.reason), found.wait_s)
        return found

    async def _useless(self, endpoint: Endpoint, failure: Failure) -> EndpointError:
        if failure.kind == "barred":
            return EndpointError(f"The endpoint {endpoint.address} lets us not in: {failure.reason}.")
        names = await listed(endpoint, self._session)
        there = f" It serves: {', '.join(names)}." if names else ""
        return EndpointError(
            f"The endpoint {endpoint.address} does not serve the model {self._model!r}: "
            f"{failure.reason}.{there}"
        )

    async def _leave(self, endpoint: Endpoint, failure: Failure) -> None:
        """Ask an endpoint no more until it has recovered, if that was not the failure of one question."""
        if endpoint.away is not None:
            return
        endpoint.failures += 1
        if failure.kind == "broken" and endpoint.failures < LEFT_AFTER:
            await asyncio.sleep(FIRST_WAIT_S * random.uniform(0.5, 1.5))
            return
        endpoint.leave(failure)
        task = asyncio.create_task(self._recover(endpoint))
        self._recoveries.add(task)
        task.add_done_callback(self._recoveries.discard)

    async def _recover(self, endpoint: Endpoint) -> None:
        while True:
            await asyncio.sleep(endpoint.wait_s())
            try:
                failure = await self._sick(endpoint)
            except Exception as error:  # whatever it is, questions wait for this endpoint
                failure = Failure("broken", type(error).__name__)
            if failure is None:
                break
            endpoint.leave(failure)
        endpoint.away = None
        self._there.set()

    async def _sick(self, endpoint: Endpoint) -> Failure | None:
        """Why it cannot be asked yet. One that was only busy is asked at once."""
        before = endpoint.away
        if before is not None and before.kind == "busy":
            return None
        reply = await endpoint.models(self._session)
        if isinstance(reply, Failure):
            return reply
        if reply[0] >= 500 or reply[0] == 429:
            return Failure("broken", f"HTTP {reply[0]} on {endpoint.address}/models")
        if before is not None and before.kind == "broken":
            # Well by its own account: one token tells whether it is the endpoint or the question.
            found = await self._post(endpoint, self._probe.body(len(FORMATS) - 1))
            if isinstance(found, Failure):
                return found
            endpoint.answered += 1
        return None
