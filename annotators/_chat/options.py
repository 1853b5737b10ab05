"""The options that every way to ask a model shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from annotators._chat import served
from pipeline import annotator
from pipeline.options import Option

HERE = "http://127.0.0.1:8000"
"""Where vLLM listens if nobody says otherwise."""

Endpoint = Annotated[
    str | tuple[str, ...],
    Option("address of an OpenAI-compatible server, or several with commas between", identity=False),
]
Model = Annotated[
    str | None,
    Option("name of the model or adapter; none: the first adapter that is served, else the first model"),
]
ApiKeyEnv = Annotated[
    str | None, Option("name of the environment variable that holds the key", identity=False)
]
Tries = Annotated[int, Option("answers asked for before it is done without", low=1, high=20)]
Temperature = Annotated[float, Option("of sampling", low=0.0, high=2.0)]
TopP = Annotated[float, Option("share of the likeliest tokens that are sampled from", low=0.0, high=1.0)]
MaxTokens = Annotated[int, Option("longest answer", "tokens", low=1)]
Seed = Annotated[int, Option("another seed, other answers", low=0)]
InFlight = Annotated[int, Option("requests at once of one process", low=1, high=4096, identity=False)]
TimeoutS = Annotated[
    float, Option("how long one request may take before it is sent again", "s", low=0.1, identity=False)
]
WaitS = Annotated[
    float, Option("how long to wait at the start for a server that is still loading", "s", 0, identity=False)
]


def completed(options: dict[str, object]) -> dict[str, object]:
    """The options with the model by name: what is served decides the captions."""
    if options["model"] is not None:
        return options
    endpoint, key, wait_s = where(options)
    return options | {"model": served.default_model(endpoint, key, wait_s)}


def check(options: Mapping[str, object]) -> None:
    """EndpointError unless an endpoint is there and serves the model."""
    endpoint, key, wait_s = where(options)
    served.check(endpoint, str(options["model"]), key, wait_s)


def models(options: Mapping[str, object]) -> tuple[annotator.Model, ...]:
    """The model as its endpoint calls it: whoever publishes captions must look up its licence."""
    name = options["model"]
    if name is None:
        return ()
    return (annotator.Model(str(name), "as served", "not known to the endpoint", source="an endpoint"),)


def where(options: Mapping[str, object]) -> tuple[str | tuple[str, ...], str | None, float]:
    """Endpoint, name of the key's variable and seconds to wait, of resolved options."""
    endpoint, key, wait_s = options["endpoint"], options["api_key_env"], options["wait_s"]
    assert isinstance(endpoint, str | tuple)
    assert isinstance(wait_s, float)
    return endpoint, None if key is None else str(key), wait_s
