"""Where endpoints are: the addresses a person writes, and the key that opens them."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlsplit

from annotators._chat.errors import EndpointError

LATER = "http://served-by-this-job.invalid"
"""Stands for servers that the job itself starts, when there is work: where they are is said then."""
_CHAT = "/chat/completions"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def addresses(endpoint: str | Sequence[str]) -> tuple[str, ...]:
    """Base addresses such as `http://host:8000/v1`, each once: from a list or a text with commas.

    `/v1` is added where no path is given, `/chat/completions` taken off. EndpointError for what is no
    http address, or holds a name or key.
    """
    parts = endpoint.split(",") if isinstance(endpoint, str) else endpoint
    found = tuple(dict.fromkeys(_address(part.strip()) for part in parts if part.strip()))
    if not found:
        raise EndpointError("The option endpoint must be an address such as http://127.0.0.1:8000.")
    return found


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise EndpointError(f"{text:.100} is not an address such as http://127.0.0.1:8000.") from None
    if parts.username is not None or parts.password is not None:
        raise EndpointError(
            "The address of an endpoint must hold no name and no key: put the key into an environment "
            "variable, and name that as api_key_env."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise EndpointError(f"{text:.100} is not an address such as http://127.0.0.1:8000.")
    path = parts.path.rstrip("/").removesuffix(_CHAT)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{path or '/v1'}"


def api_key(name: str | None) -> str | None:
    """The key in the environment variable of that name; EndpointError, naming it, where there is none."""
    if name is None:
        return None
    key = os.environ.get(name, "").strip()
    if not key:
        raise EndpointError(f"The environment variable {name}, which api_key_env names, is not set.")
    if not key.isascii() or not key.isprintable():
        raise EndpointError(f"The environment variable {name} holds what cannot be a key.")
    return key


def proxy(address: str) -> str | None:
    """The proxy that the environment names for an address; looked up once, not at every request."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in _LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies().get(parts.scheme)
    return found if found is None or "://" in found else f"http://{found}"
