"""File systems that are not this machine's: how they are opened, waited for, and spoken of.

Every request is tried again by the library that makes it (botocore's standard mode: exponential, with
jitter, also after 503, 500, timeouts and broken connections). What still fails for a reason that passes
is tried again from outside, for the file systems whose libraries do not.
"""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import fsspec

T = TypeVar("T")

TRIES = 4
"""From outside, each of them with the library's own tries inside."""
FIRST_PAUSE_S = 1.0
"""Doubled each time, and shortened by up to half at random, so that many workers do not come back at once."""
REQUEST_TRIES = 8
"""Of botocore, about half a minute in all; $AWS_MAX_ATTEMPTS says otherwise."""
PUT_IS_WHOLE = frozenset(
    ["s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "obs", "cos", "hf", "memory"]
)
"""Protocols of object storage: a finished put is there at once and whole, an unfinished one is not there."""

_PASSING = frozenset(
    [
        *(errno.EBUSY, errno.EREMOTEIO, errno.ETIMEDOUT, errno.EAGAIN, errno.EPIPE),
        *(errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED),
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETRESET),
    ]
)
"""EBUSY is what s3fs makes of 503, EREMOTEIO of 500."""
_PASSING_CLASSES = frozenset(
    [
        *("HTTPClientError", "ConnectionError", "EndpointConnectionError", "ResponseParserError"),  # botocore
        *("ClientConnectionError", "ClientPayloadError", "ServerDisconnectedError"),  # aiohttp
        *("FSTimeoutError", "IncompleteRead"),
        *("TransportError", "ServiceRequestError", "ServiceResponseError"),  # Google, Azure
    ]
)
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500

_USER = re.compile(r"(?<=://)[^/\s@'\"]*:[^/\s'\"]*@")
_SIGNED = re.compile(
    r"([?&;](?:x-[a-z]+-(?:signature|credential|security-token)|sig|signature|awsaccesskeyid|googleaccessid"
    r"|[a-z_-]*(?:token|secret|password|passwd|api_?key|access_?key))=)[^&\s'\"]+",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(
    "(?:SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|ACCESS_KEY|API_KEY|CONNECTION_STRING)(?!.*(?:FILE|PATH|DIR|URL|URI)$)"
)
_SECRET_CHARACTERS = 8
"""A shorter value of such a variable is no secret, and may stand in any text."""


def opened(url: str) -> tuple[Any, str]:
    """The file system a url is of, and the path on it. Raises what fsspec does: ValueError, ImportError.

    Listings are never cached: what is there changes in other processes.
    """
    protocol, separator, _ = url.partition("://")
    options = _s3_options() if separator and protocol in ("s3", "s3a") else {}
    fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
    if options:
        fs.retries = 1  # s3fs would do all of botocore's tries again five times
    return fs, path


def is_local(fs: Any) -> bool:
    """Whether it is this machine's own."""
    return "file" in protocols(fs)


def protocols(fs: Any) -> tuple[str, ...]:
    """What its urls may begin with."""
    return fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,)


def patiently(call: Callable[[], T]) -> T:
    """What the call gives, which is made again while it fails for a reason that passes by itself.

    Raises OSError where it does not pass: botocore's and aiohttp's errors are none, and are made one.
    """
    for pause_s in _pauses():
        try:
            return _asked(call)
        except OSError as error:
            if not passes(error):
                raise
        time.sleep(pause_s)
    return _asked(call)


def passes(error: BaseException) -> bool:
    """Whether another try may go well: the server is busy, broken, or was not reached."""
    if isinstance(error, FileNotFoundError | PermissionError | FileExistsError):
        return False
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING:
        return True
    if any(cls.__name__ in _PASSING_CLASSES for cls in type(error).__mro__):
        return True
    codes = (getattr(error, name, None) for name in ("status", "status_code", "code"))
    return any(isinstance(c, int) and (c >= _SERVER_ERROR or c == _TOO_MANY_REQUESTS) for c in codes)


def reason(error: BaseException) -> str:
    """Why, in a few words on one line, without what must not be told."""
    if isinstance(error, OSError) and error.strerror:
        return redacted(error.strerror.lower().rstrip("."))
    return redacted(" ".join(str(error).split()).rstrip(".")) or type(error).__name__


def redacted(text: str) -> str:
    """The text without passwords in urls, signatures, and values of variables like AWS_SECRET_ACCESS_KEY."""
    text = without_password(text)
    for name, value in os.environ.items():
        if len(value) >= _SECRET_CHARACTERS and value in text and _SECRET_NAME.search(name.upper()):
            text = text.replace(value, "***")
    return text


def without_password(url: str) -> str:
    """A url without password and signature; as `redacted`, but fit to be asked for every clip."""
    return _SIGNED.sub(r"\1***", _USER.sub("***@", url)) if "@" in url or "=" in url else url


def walk(folder: str) -> Iterator[str]:
    """Every file below a local folder, without asking for its size: 5 times as fast as fsspec's `find`."""
    for where, _, files in os.walk(folder, onerror=_unless_gone, followlinks=True):
        for file in files:
            yield f"{where}/{file}"


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except OSError:
        raise
    except Exception as error:
        if passes(error):
            raise ConnectionError(reason(error)) from error
        if type(error).__module__.startswith("botocore"):
            raise PermissionError(reason(error)) from error
        raise


def _pauses() -> Iterator[float]:
    for n in range(TRIES - 1):
        yield FIRST_PAUSE_S * 2**n * random.uniform(0.5, 1.0)


def _s3_options() -> dict[str, Any]:
    """What s3fs is opened with: the person's own settings, and botocore's patience where they say nothing."""
    own = dict(fsspec.config.conf.get("s3", {}).get("config_kwargs", {}))
    retries: dict[str, Any] = {}
    if "AWS_RETRY_MODE" not in os.environ:
        retries["mode"] = "standard"
    if "AWS_MAX_ATTEMPTS" not in os.environ:
        retries["total_max_attempts"] = REQUEST_TRIES
    return {"config_kwargs": {"retries": retries} | own}
