"""Who may talk to the page: this machine's browser; from elsewhere whoever holds the token.

Another site's page in the same browser may not: its name is no name of this server's (DNS rebinding), it
cannot send the header that a judgement needs without being asked first, and nobody answers that question.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

COOKIE = "speechcraft_review"
HEADER = "X-Speechcraft-Review"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_WELCOME = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>speechcraft review</title>'
    '<meta http-equiv="refresh" content="0;url=/"><p><a href="/">To the clips</a>'
)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def new_token() -> str:
    """A token nobody guesses."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Gate:
    """Checks every request. `token` is None where only this machine can come."""

    host: str
    token: str | None
    _names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = {"localhost"}
        if self.token is not None:
            names |= {self.host, socket.gethostname(), socket.getfqdn()}
        object.__setattr__(self, "_names", frozenset(name.lower() for name in names))

    def middleware(self) -> Middleware:
        """The check, as the framework takes it."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            response: web.StreamResponse | None = self._turned_away(request)
            if response is None:
                try:
                    response = await handler(request)
                except web.HTTPException as error:
                    response = web.Response(text=f"{error.status}: {error.reason}", status=error.status)
            response.headers.update(HEADERS)
            return response

        return check

    def _turned_away(self, request: web.Request) -> web.Response | None:
        if not self._knows(request.headers.get("Host", "")):
            return web.Response(status=403, text="This server does not go by that name.")
        if self.token is not None and not self._is_token(request.cookies.get(COOKIE, "")):
            return self._welcomed(request)
        if request.method == "POST" and not _own(request):
            return web.Response(status=403, text="Another page may not judge.")
        return None

    def _knows(self, named: str) -> bool:
        """Whether a Host header names this server: by its address, or by a name of its own."""
        name = named.rpartition(":")[0] if named.rpartition(":")[2].isdigit() else named
        name = name.strip("[]").lower()
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return self.token is not None or address.is_loopback

    def _is_token(self, told: str) -> bool:
        return self.token is not None and hmac.compare_digest(told.encode(), self.token.encode())

    def _welcomed(self, request: web.Request) -> web.Response:
        """The cookie, for the right token in the address; the page then moves on to an address without it."""
        if request.method != "GET" or not self._is_token(request.query.get("token", "")):
            return web.Response(status=401, text="Open the address that `speechcraft review` printed.")
        response = web.Response(text=_WELCOME, content_type="text/html")
        response.set_cookie(COOKIE, str(self.token), httponly=True, samesite="Strict", path="/")
        return response


def _own(request: web.Request) -> bool:
    """Whether the page itself sent it."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return (
        request.headers.get(HEADER) == "1"
        and request.content_type == "application/json"
        and site == "same-origin"
        and origin in (None, f"http://{request.headers.get('Host')}")
    )
