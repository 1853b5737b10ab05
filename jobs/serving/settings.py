"""What is to be served, as the command line or a job file's `serve:` says it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pipeline.errors import OptionError, unknown
from pipeline.options import Option, checked

PYTHON = "SPEECHCRAFT_VLLM_PYTHON"


@dataclass(frozen=True, slots=True)
class Serve:
    """A model, the adapters on it, and where its servers run."""

    model: Annotated[str, Option("the model: a folder, or a hub id that is on this machine")]
    name: Annotated[str | None, Option("what requests call it; none: the last part of its name")] = None
    lora: Annotated[Mapping[str, object], Option("LoRA adapters: the name requests use, and the folder")] = (
        field(default_factory=dict)
    )
    python: Annotated[
        str | None, Option(f"the Python that has vLLM; none: ${PYTHON}, or the one that runs speechcraft")
    ] = None
    gpus: Annotated[float, Option("GPUs of each server, or a share of one", low=0.0)] = 1.0
    replicas: Annotated[int | Literal["auto"], Option("servers; auto: as many as there are GPUs for")] = (
        "auto"
    )
    max_model_len: Annotated[int | None, Option("most tokens of prompt and answer", low=16)] = None
    extra: Annotated[tuple[str, ...], Option("more arguments for vLLM")] = ()
    start_s: Annotated[float, Option("how long a server may take to come up", "s", low=1.0)] = 1800.0

    @property
    def base(self) -> str:
        """What requests call the model without adapter."""
        return self.name or Path(self.model.rstrip("/")).name

    @property
    def adapters(self) -> dict[str, Path]:
        """The folder of each adapter by its name."""
        return {name: Path(str(folder)).expanduser() for name, folder in self.lora.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Every name a request may use."""
        return (self.base, *self.lora)

    @property
    def interpreter(self) -> str:
        """The Python that is to run vLLM."""
        return self.python or os.environ.get(PYTHON) or sys.executable


def read_serve(record: object) -> Serve:
    """The `serve:` of a job file; OptionError for what is no entry of it, or has another type or range."""
    if isinstance(record, str):
        record = {"model": record}
    if not isinstance(record, dict) or not isinstance(record.get("model"), str):
        raise OptionError("'serve' must be the name of a model or a mapping with 'model'.")
    known = {f.name for f in fields(Serve)}
    for key in record:
        if key not in known:
            raise unknown("entry of 'serve'", str(key), known)
    given: dict[str, Any] = {**record, "lora": _adapters(record.get("lora") or {})}
    found: Serve = checked("serve", Serve(**given))
    if found.base in found.lora:
        raise OptionError(f"The model and an adapter are both called {found.base!r}.")
    if found.replicas != "auto" and found.replicas < 1:
        raise OptionError(f"serve.replicas must be at least 1, not {found.replicas}.")
    if found.gpus > 1 and found.gpus != int(found.gpus):
        raise OptionError(f"serve.gpus must be a share of one GPU or a whole number, not {found.gpus:g}.")
    return found


def read_adapters(assignments: list[str]) -> dict[str, str]:
    """`name=folder` pairs of the command line; OptionError for what is none, or a name given twice."""
    found: dict[str, str] = {}
    for assignment in assignments:
        name, equals, folder = assignment.partition("=")
        if not (equals and name and folder):
            raise OptionError(f"--lora takes name=folder, not {assignment!r}.")
        if name in found:
            raise OptionError(f"Two adapters are called {name!r}.")
        found[name] = folder
    return found


def _adapters(record: object) -> dict[str, str]:
    if not isinstance(record, dict) or not all(
        isinstance(text, str) for pair in record.items() for text in pair
    ):
        raise OptionError(f"serve.lora must map names to folders, not {record!r}.")
    return record
