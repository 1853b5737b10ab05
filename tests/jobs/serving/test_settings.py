"""What is to be served is taken, or refused in one sentence."""

from __future__ import annotations

import pytest

from jobs.serving.settings import PYTHON, Serve, read_adapters, read_serve
from pipeline.errors import OptionError


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (3, "'serve' must be the name of a model or a mapping with 'model'."),
        ({"lora": {}}, "'serve' must be the name of a model or a mapping with 'model'."),
        ({"model": "m", "lorra": {}}, "There is no entry of 'serve' 'lorra'. Did you mean 'lora'?"),
        ({"model": "m", "lora": ["a"]}, "serve.lora must map names to folders, not ['a']."),
        ({"model": "m", "lora": {"a": 3}}, "serve.lora must map names to folders"),
        ({"model": "m", "gpus": -1}, "serve.gpus must lie in 0.0..inf , not -1.0."),
        ({"model": "m", "gpus": 1.5}, "serve.gpus must be a share of one GPU or a whole number, not 1.5."),
        ({"model": "m", "replicas": "all"}, "serve.replicas takes a whole number or one of auto, not 'all'."),
        ({"model": "m", "replicas": 0}, "serve.replicas must be at least 1, not 0."),
        ({"model": "m", "extra": "--x"}, "serve.extra takes a list of text"),
        ({"model": "models/m", "lora": {"m": "a"}}, "The model and an adapter are both called 'm'."),
    ],
)
def test_what_makes_no_sense_is_refused_and_what_would_is_named(record: object, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_serve(record)
    assert str(caught.value).startswith(message.replace(" , ", ", "))


def test_a_model_alone_is_enough() -> None:
    assert read_serve("models/base/") == Serve("models/base/")
    assert read_serve("org/Base-7B").names == ("Base-7B",)


def test_the_names_are_the_model_s_and_then_the_adapters() -> None:
    serve = read_serve({"model": "m", "name": "big", "lora": {"en": "a", "zh": "b"}})
    assert serve.names == ("big", "en", "zh")


def test_the_python_given_comes_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON, "/there/python")
    assert read_serve("m").interpreter == "/there/python"
    assert read_serve({"model": "m", "python": "/here/python"}).interpreter == "/here/python"


def test_adapters_of_the_command_line() -> None:
    assert read_adapters(["en=a/b=c", "zh=d"]) == {"en": "a/b=c", "zh": "d"}
    for wrong in ("en", "=a", "en="):
        with pytest.raises(OptionError, match="--lora takes name=folder"):
            read_adapters([wrong])
    with pytest.raises(OptionError, match="Two adapters are called 'en'"):
        read_adapters(["en=a", "en=b"])
