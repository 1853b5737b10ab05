"""What endpoints serve, asked before anything runs: a wrong address, key or model is one clear sentence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import lru_cache

import aiohttp

from annotators._chat.address import LATER, addresses, api_key
from annotators._chat.endpoint import Endpoint, served, session
from annotators._chat.errors import EndpointError
from annotators._chat.loop import Loop
from annotators._chat.reply import Failure, one_line, read

log = logging.getLogger(__name__)

_AGAIN_S = 0.5
_NAMED = 20  # models in a message
Served = list[tuple[str, bool]]


def default_model(endpoint: str | Sequence[str], api_key_env: str | None, wait_s: float) -> str:
    """The first adapter that the endpoints serve, else their first model."""
    there = _survey(addresses(endpoint), api_key_env, wait_s)
    for address, models in there:
        if models:
            return next((name for name, adapter in models if adapter), models[0][0])
        log.warning("%s does not say which models it serves", address)
    raise EndpointError(
        f"{_named(endpoint)} does not say which models it serves: name one as the option model."
    )


def check(endpoint: str | Sequence[str], model: str, api_key_env: str | None, wait_s: float) -> None:
    """EndpointError if no endpoint answers within `wait_s`, or one that does has no such model."""
    if endpoint == LATER:
        return
    for address, models in _survey(addresses(endpoint), api_key_env, wait_s):
        names = [name for name, _ in models or ()]
        if models and model not in names:
            shown = ", ".join(one_line(name) for name in names[:_NAMED])
            raise EndpointError(
                f"The endpoint {address} does not serve the model {model!r}. It serves: {shown}."
            )


def _named(endpoint: str | Sequence[str]) -> str:
    return "The endpoint " + ", ".join(addresses(endpoint))


@lru_cache(maxsize=64)
def _survey(
    where: tuple[str, ...], api_key_env: str | None, wait_s: float
) -> tuple[tuple[str, Served | None], ...]:
    """The endpoints that answer with what they serve, None where they do not say. Asked once."""
    loop = Loop()
    try:
        return tuple(loop.run(_ask_all(where, api_key(api_key_env), wait_s)))
    finally:
        loop.close()


async def _ask_all(where: Sequence[str], key: str | None, wait_s: float) -> list[tuple[str, Served | None]]:
    async with session() as connections:
        endpoints = [Endpoint(address, key) for address in where]
        until_s = time.monotonic() + wait_s
        found = await asyncio.gather(*(_ask(e, connections, until_s) for e in endpoints))
    there = [(e.address, f) for e, f in zip(endpoints, found, strict=True) if not isinstance(f, Failure)]
    away = [(e.address, f) for e, f in zip(endpoints, found, strict=True) if isinstance(f, Failure)]
    if not there:
        reasons = "; ".join(f"{address} ({failure.reason})" for address, failure in away)
        plural = "None of the endpoints answers" if len(away) > 1 else "The endpoint does not answer"
        raise EndpointError(f"{plural}: {reasons}.")
    for address, failure in away:
        log.warning("the endpoint %s does not answer: %s", address, failure.reason)
    return there


async def _ask(
    endpoint: Endpoint, connections: aiohttp.ClientSession, until_s: float
) -> Served | Failure | None:
    while True:
        found = await _once(endpoint, connections)
        if not isinstance(found, Failure) or time.monotonic() >= until_s:
            return found
        await asyncio.sleep(_AGAIN_S)


async def _once(endpoint: Endpoint, connections: aiohttp.ClientSession) -> Served | Failure | None:
    reply = await endpoint.models(connections)
    if isinstance(reply, Failure):
        return reply
    status, headers, data = reply
    if status == 200:
        models = served(data)
        if models is None:
            raise EndpointError(f"{endpoint.address} answers, but not with the protocol of OpenAI.")
        return models
    said = read(status, headers, data)
    reason = endpoint.safe(said.reason) if isinstance(said, Failure) else ""
    if status in (404, 405):
        return None
    if status < 500 and status not in (408, 429):
        raise EndpointError(f"The endpoint {endpoint.address} lets us not in: {reason}.")
    return Failure("busy", reason)
