"""One endpoint of a pool: how busy it is, whether it is there, and when to ask it again."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from annotators._chat.address import proxy
from annotators._chat.reply import MOST_BYTES, Failure, one_line

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 30.0
"""Before an endpoint that failed is asked again: doubled from failure to failure, give or take a half."""
CONNECT_S = 10.0
KEPT_S = 4.0
"""How long an idle connection is used again: uvicorn, under vLLM, cuts it after 5 s, as we may be sending."""
Reply = tuple[int, Mapping[str, str], bytes]


class Endpoint:
    """An address with what is known of it."""

    def __init__(self, address: str, key: str | None) -> None:
        self.address = address
        self.in_flight = 0
        self.level = 0
        """Of FORMATS: the best that it takes."""
        self.answered = 0
        """Chat requests it has answered."""
        self.failures = 0
        """Since it last answered one."""
        self.leaves = 0
        """How often it was left alone since then."""
        self.away: Failure | None = None
        """Why it is not asked at present."""
        self.away_since_s = 0.0
        self.away_since = 0.0
        """The same by the clock on the wall: seconds of the Unix epoch."""
        self._key = key
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._chat, self._models = URL(address + "/chat/completions"), URL(address + "/models")
        self._how: dict[str, Any] = {
            "headers": headers,
            "proxy": proxy(address),
            "allow_redirects": False,  # one would carry the key elsewhere
        }

    def wait_s(self) -> float:
        """How long to leave it alone now."""
        asked = self.away.wait_s if self.away else None
        own = min(FIRST_WAIT_S * 2.0 ** min(self.leaves - 1, 16), LONGEST_WAIT_S)
        return max(own * random.uniform(0.5, 1.5), asked or 0.0)

    def leave(self, failure: Failure) -> None:
        """Ask it no more for a while."""
        if self.leaves == 0:
            self.away_since_s, self.away_since = time.monotonic(), time.time()
        self.away = failure
        self.leaves += 1

    async def chat(
        self, session: aiohttp.ClientSession, body: bytes, timeout: aiohttp.ClientTimeout
    ) -> Reply | Failure:
        """What it replies to a chat request."""
        return await self._call(session.post(self._chat, data=body, timeout=timeout, **self._how), timeout)

    async def models(self, session: aiohttp.ClientSession) -> Reply | Failure:
        """What it replies when asked for its models: a sign of life that costs nothing."""
        timeout = timeout_of(CONNECT_S)
        return await self._call(session.get(self._models, timeout=timeout, **self._how), timeout)

    async def _call(self, request: Any, timeout: aiohttp.ClientTimeout) -> Reply | Failure:
        try:
            async with request as response:
                return response.status, response.headers, await _body(response)
        except TimeoutError as error:
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                return Failure("gone", f"no connection within {CONNECT_S:g} s")
            return Failure("broken", f"no answer within {timeout.total:g} s")
        except aiohttp.ClientConnectorError as error:
            return Failure("gone", self.safe(error.strerror or str(error)).lower() or "no connection")
        except aiohttp.ServerDisconnectedError:  # of what it had said, aiohttp keeps an object
            return Failure("broken", "Server disconnected")
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            return Failure("broken", self.safe(str(error)) or type(error).__name__)

    def safe(self, text: str) -> str:
        """Foreign text on one line, without the key that some servers repeat."""
        return one_line(text.replace(self._key, "***") if self._key else text)


def timeout_of(total_s: float) -> aiohttp.ClientTimeout:
    """Limits of one request: connecting, and all of it."""
    return aiohttp.ClientTimeout(total=total_s, sock_connect=CONNECT_S)


def session() -> aiohttp.ClientSession:
    """Connections that are kept, as many as there are requests."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # nothing compressed is asked for: 4 MB could unpack to 4 GB
    )


def served(data: bytes) -> list[tuple[str, bool]] | None:
    """The models of a reply, with whether each is an adapter; None if it is no list of models."""
    try:
        entries: list[Any] = json.loads(data)["data"]
        return [(str(e["id"]), e.get("parent") is not None) for e in entries]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


async def listed(endpoint: Endpoint, session: aiohttp.ClientSession) -> list[str]:
    """The models an endpoint says it serves; none where it does not say."""
    reply = await endpoint.models(session)
    found = None if isinstance(reply, Failure) else served(reply[2])
    return [one_line(name) for name, _ in found or ()]


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The bytes of a reply, one more than `MOST_BYTES` at most: an endpoint may send without end."""
    length = response.content_length
    if length is not None and length <= MOST_BYTES:
        return await response.read()
    parts, total = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        total += len(part)
        if total > MOST_BYTES:
            break
    return b"".join(parts)
