"""Who in a job asks the models it serves: they are told the model's name when the job is made, and where it
is when it is up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import annotators
from annotators._chat.address import LATER
from jobs.serving.adapters import CONFIG
from jobs.serving.settings import Serve
from jobs.serving.vllm import model_folder
from pipeline.errors import OptionError, unknown
from pipeline.models import digest
from pipeline.options import options_of

ENDPOINT = "endpoint"
MODEL = "model"
_WEIGHTS = ("*.safetensors", "*.bin", "config.json", "tokenizer*", "*.jinja", CONFIG)


def identified(serve: Serve) -> Serve:
    """The same under names that say what is served, `rewriter@1a2b3c4d`: a digest of the weights' bytes.

    With other weights the captions have another fingerprint, though the folder is the same. Where they and
    vLLM's Python lie is settled here: on other machines of a cluster they lie there too.
    ModelError or RunError where model or adapter is not on this machine.
    """
    folder = model_folder(serve)
    base = _digest(folder)
    lora = {f"{name}@{_digest(there, base)}": str(there.resolve()) for name, there in serve.adapters.items()}
    where = str(folder.resolve())
    return replace(serve, model=where, python=serve.interpreter, name=f"{serve.base}@{base}", lora=lora)


def tell(record: Mapping[str, Any], serve: Serve) -> dict[str, Any]:
    """The record of a job with every annotator that asks a model, and was not told where, told which.

    `serve` is identified. OptionError if nobody asks, if a model is named that is not served, or none
    where there are several.
    """
    told = {family: _tell(entry, family, serve) for family, entry in record["annotators"].items()}
    if told == record["annotators"]:
        raise OptionError("The job serves a model, and none of its annotators asks one: caption=llm does.")
    return {**record, "annotators": told}


def _tell(entry: Any, family: str, serve: Serve) -> Any:
    if isinstance(entry, list):
        return [_tell(one, family, serve) for one in entry]
    if entry in (None, False, "off"):
        return entry
    record = {"use": entry} if isinstance(entry, str) else entry
    if not isinstance(record, dict) or not isinstance(record.get("use"), str):
        return entry
    known = options_of(annotators.load(family, record["use"]))
    if ENDPOINT not in known or record.get(ENDPOINT):
        return entry
    return {**record, ENDPOINT: LATER, MODEL: _model(record.get(MODEL), family, serve)}


def _model(wanted: object, family: str, serve: Serve) -> str:
    """The served name of the model an annotator wants: the one adapter, or the model where there is none."""
    by_name = {name.rpartition("@")[0]: name for name in serve.names}
    if wanted is not None:
        if str(wanted) not in by_name:
            raise unknown("model served by this job", str(wanted), by_name)
        return by_name[str(wanted)]
    if len(serve.names) > 2:
        raise OptionError(f"The job serves several adapters: name one as {family}.{MODEL}.")
    return serve.names[-1]


def _digest(folder: Path, *also: str) -> str:
    """Eight hex digits over the weights in a folder, and over what they were made for."""
    files = sorted({file for pattern in _WEIGHTS for file in folder.glob(pattern)})
    return blake2b(":".join([digest(files), *also]).encode(), digest_size=4).hexdigest()
