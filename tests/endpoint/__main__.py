"""A fake endpoint that speaks the OpenAI protocol: `python -m tests.endpoint --log FILE [--port N]`.

Prints its port on one line. `POST /script` with the fields of a Script changes what it does; every chat
request becomes a line of the log, `clip body status`, which outlives it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aiohttp import web

from tests.endpoint.script import Script
from tests.endpoint.writer import Asked, asked, written


class Server:
    """What it is doing, and what it was asked."""

    def __init__(self, script: Script, log: int) -> None:
        self.started_s = time.monotonic()
        self._log = log
        self.take(script)

    def take(self, script: Script) -> None:
        """Follow another script from now on."""
        self.script = script
        self._requests = 0
        self._failing = script.failing
        self._of_clip: Counter[str] = Counter()

    async def set_script(self, request: web.Request) -> web.Response:
        """`POST /script`."""
        self.take(script_of(await request.json()))
        return web.json_response({})

    async def models(self, request: web.Request) -> web.Response:
        """`GET /v1/models`."""
        if refusal := self._barred(request):
            return refusal
        entries = [{"id": name, "object": "model", "parent": parent} for name, parent in self.script.models]
        return web.json_response({"object": "list", "data": entries})

    async def chat(self, request: web.Request) -> web.Response:
        """`POST /v1/chat/completions`."""
        data = await request.read()
        try:
            question = asked(data)
        except (ValueError, LookupError, TypeError) as error:
            return _error(400, f"not a chat request: {error}")
        self._requests += 1
        if self.script.die_after and self._requests > self.script.die_after:
            os._exit(9)
        if self.script.latency_s:
            await asyncio.sleep(self.script.latency_s)
        response = self._barred(request) or self._failure(question) or self._answer(question)
        os.write(self._log, f"{question.clip} {question.body} {response.status}\n".encode())
        return response

    def _barred(self, request: web.Request) -> web.Response | None:
        if time.monotonic() - self.started_s < self.script.loading_s:
            return _error(503, "the model is loading")
        if self.script.key and request.headers.get("Authorization") != f"Bearer {self.script.key}":
            return _error(401, f"Incorrect API key: {request.headers.get('Authorization')}")
        return None

    def _failure(self, question: Asked) -> web.Response | None:
        script = self.script
        if self._failing > 0 or (script.every and self._requests % script.every == 0):
            self._failing -= 1
            headers = {} if script.retry_after is None else {"Retry-After": script.retry_after}
            return _error(script.status, "as the script says", headers)
        if script.poison and script.poison in question.holds:
            return _error(500, "this prompt breaks the engine")
        if question.model not in {name for name, _ in script.models}:
            return _error(404, f"The model `{question.model}` does not exist.")
        if question.characters > script.longest:
            return _error(400, "This model's maximum context length is 2048 tokens.")
        if question.format not in ("none", *script.formats):
            return _error(400, f"response_format {question.format} is not supported")
        return None

    def _answer(self, question: Asked) -> web.Response:
        answers = self.script.answers
        manner = answers[min(self._of_clip[question.clip], len(answers) - 1)]
        self._of_clip[question.clip] += 1
        if manner == "html":
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        text, finish = written(question, manner)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        body = {"id": "fake", "object": "chat.completion", "model": question.model, "choices": [choice]}
        return web.Response(body=json.dumps(body).encode(), content_type="application/json")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status, headers=headers)


def script_of(record: Mapping[str, Any]) -> Script:
    """The script with these fields."""
    names = {f.name for f in fields(Script)}
    if not set(record) <= names:
        raise SystemExit(f"a script has {', '.join(sorted(names))}")
    return Script(**record)


async def serve(port: int, script: Script, log: str) -> None:
    """Serve until the process ends."""
    server = Server(script, os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644))
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/script", server.set_script)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - whoever started it waits for this line
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", required=True)
    parser.add_argument("--script", default="{}", help="fields of a Script, as JSON")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, script_of(json.loads(arguments.script)), arguments.log))
