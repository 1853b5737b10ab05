"""The local web page: one clip an address, judged by keyboard; a judgement is kept before it is answered."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from jobs.pages import asset
from jobs.review.desk import Desk, NotJudged
from jobs.review.gate import Gate
from jobs.review.sample import Sampled
from jobs.review.view import Views

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
_SHARED, _OWN = ("clip.css", "clip.js"), ("review.css", "review.js")
_KINDS = {"css": "text/css", "js": "text/javascript"}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
MOST_BYTES = 64 * 1024
"""Of a request: a correction of 10,000 characters, each of four bytes and escaped at worst."""


class ReviewServer:
    """The page of one desk."""

    def __init__(self, desk: Desk, views: Views, gate: Gate) -> None:
        self._desk, self._views = desk, views
        environment = Environment(
            loader=FileSystemLoader(HERE), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
        )
        self._page = environment.get_template("page.html.j2")
        self.app = web.Application(middlewares=[gate.middleware()], client_max_size=MOST_BYTES)
        self.app.add_routes(
            [
                web.get("/", self._first),
                web.get("/clip/{key}", self._clip),
                web.get("/clip/{key}/sound.wav", self._sound),
                web.post("/clip/{key}/judge", self._judge),
                web.post("/undo", self._undo),
                web.get("/assets/{name}", self._asset),
            ]
        )

    async def _first(self, request: web.Request) -> web.StreamResponse:
        """To the first clip of which nothing was said."""
        said = [key for key in self._desk.order if self._is_open(self._desk.clips[key])]
        return web.Response(status=303, headers={"Location": f"/clip/{(said or self._desk.order)[0]}"})

    def _is_open(self, clip: Sampled) -> bool:
        return not any(self._desk.said(clip, a.name).state for a in self._desk.attributes(clip))

    async def _clip(self, request: web.Request) -> web.StreamResponse:
        view = await asyncio.to_thread(self._views.view, self._found(request).key)
        facts = {
            "v": view,
            "reviewer": self._desk.reviewer,
            "clips": len(self._desk.order),
            "judged": self._desk.judged(),
        }
        return web.Response(text=self._page.render(facts), content_type="text/html")

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        data = await asyncio.to_thread(self._views.sound, self._found(request).key)
        if data is None:
            raise web.HTTPNotFound
        return _ranged(data, request.headers.get("Range"))

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in (*_SHARED, *_OWN):
            raise web.HTTPNotFound
        text = asset(name) if name in _SHARED else (HERE / name).read_text("utf-8")
        return web.Response(text=text, content_type=_KINDS[name.partition(".")[2]])

    async def _judge(self, request: web.Request) -> web.StreamResponse:
        clip, told = self._found(request), await _told(request)
        try:
            return await asyncio.to_thread(self._kept, clip, told)
        except NotJudged as error:
            return web.json_response({"error": str(error)}, status=422)
        except Exception as error:  # a full disk, an object store that is away: the person must know
            return _not_kept(error)

    def _kept(self, clip: Sampled, told: Mapping[str, Any]) -> web.Response:
        attribute = str(told.get("attribute"))
        if attribute not in clip.row:
            raise NotJudged(f"The run tells no {attribute!r:.60} of this clip.")
        value = self._views.value(clip, attribute)
        self._desk.judge(
            clip, attribute, told.get("verdict"), value, told.get("correction"), told.get("place")
        )
        return self._state(clip, attribute)

    async def _undo(self, request: web.Request) -> web.StreamResponse:
        try:
            undone = await asyncio.to_thread(self._desk.undo)
        except Exception as error:
            return _not_kept(error)
        if undone is None:
            return web.json_response({"error": "There is nothing to take back."}, status=409)
        return self._state(self._desk.clips[undone[0]], undone[1])

    def _state(self, clip: Sampled, attribute: str) -> web.Response:
        said = self._desk.said(clip, attribute)
        facts = {"clip": clip.key, "attribute": attribute, "state": said.state}
        return web.json_response(facts | {"correction": said.correction, "judged": self._desk.judged()})

    def _found(self, request: web.Request) -> Sampled:
        clip = self._desk.clips.get(request.match_info["key"])
        if clip is None:
            raise web.HTTPNotFound
        return clip


async def _told(request: web.Request) -> Mapping[str, Any]:
    try:
        told = await request.json()
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest from error
    if not isinstance(told, dict):
        raise web.HTTPBadRequest
    return told


def _not_kept(error: Exception) -> web.Response:
    log.error("a judgement was not kept", exc_info=error)
    reason = str(error).strip() or type(error).__name__
    return web.json_response({"error": f"It was not kept: {reason:.200}"}, status=503)


def _ranged(data: bytes, wanted: str | None) -> web.Response:
    """The bytes, or the one range of them that is wanted, so that players can seek."""
    headers = {"Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(wanted or "")
    if found is None or found[0] == "bytes=-":
        return web.Response(body=data, content_type="audio/wav", headers=headers)
    size = len(data)
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    end = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    if start > end:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return web.Response(body=data[start : end + 1], status=206, content_type="audio/wav", headers=headers)
