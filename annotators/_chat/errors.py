"""What goes wrong between us and an endpoint.

EndpointError(UsageError)   no endpoint can be used as asked: a wrong address, key or model; ends the run
RequestError                this one request is refused, others are not; its clip does without
"""

from __future__ import annotations

from pipeline.errors import SpeechcraftError, UsageError


class EndpointError(UsageError):
    """An endpoint cannot be used as asked; the message names it, and never the key."""


class RequestError(SpeechcraftError):
    """An endpoint refuses this request for what it is; the message is one sentence."""
