"""LoRA adapters as PEFT saves them: whether vLLM can serve them, and on this model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import RunError
from pipeline.models import Shapes, safetensors_shapes

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM 0.32 takes as the most a server's adapters may have (vllm/config/lora.py, MaxLoRARanks)."""
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
_NAMED = 3


def check_adapter(name: str, folder: Path, model: Path) -> int:
    """The adapter's highest rank; RunError if it is none, not one for vLLM, or not of this model.

    Only shapes are compared, and of plain safetensors only: what is quantised keeps others.
    """
    config = _config(name, folder)
    kind = config.get("peft_type")
    if kind != "LORA":
        raise RunError(f"The adapter {name!r} in {folder} is of the type {kind}, not LORA.")
    if config.get("use_dora"):
        raise RunError(f"The adapter {name!r} in {folder} is a DoRA, which vLLM does not serve.")
    if config.get("modules_to_save"):
        modules = ", ".join(map(str, config["modules_to_save"]))
        raise RunError(f"The adapter {name!r} in {folder} holds whole modules ({modules}); vLLM serves none.")
    _compare(name, folder, model)
    return _rank(name, folder, config)


def rank_limit(ranks: Iterable[int]) -> int:
    """The least `--max-lora-rank` that holds all ranks; RunError beyond what vLLM takes."""
    highest = max(ranks)
    for limit in RANKS:
        if highest <= limit:
            return limit
    raise RunError(f"An adapter has rank {highest}; vLLM serves ranks up to {RANKS[-1]}.")


def _config(name: str, folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise RunError(f"There is no folder {folder} for the adapter {name!r}.")
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"The folder {folder} holds no adapter: there is no {CONFIG} in it.") from error
    except (OSError, ValueError) as error:
        raise RunError(f"The {CONFIG} in {folder} cannot be read.") from error
    if not isinstance(config, dict):
        raise RunError(f"The {CONFIG} in {folder} is not a JSON object.")
    return config


def _rank(name: str, folder: Path, config: Mapping[str, Any]) -> int:
    highest = 0
    for rank in (config.get("r"), *(config.get("rank_pattern") or {}).values()):
        if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
            raise RunError(f"The adapter {name!r} in {folder} has the rank {rank!r}.")
        highest = max(highest, rank)
    return highest


def _compare(name: str, folder: Path, model: Path) -> None:
    """RunError if the adapter changes a module that the model does not have in that size."""
    if not (folder / WEIGHTS).is_file():
        if any(folder.glob("adapter_model.*")):
            return
        raise RunError(f"The folder {folder} holds no adapter: there is no {WEIGHTS} in it.")
    base = _base_modules(model)
    if not base:
        return
    complaints = list(_misfits(safetensors_shapes(folder / WEIGHTS), base))
    if complaints:
        more = f" and {len(complaints) - _NAMED} more" if len(complaints) > _NAMED else ""
        raise RunError(
            f"The adapter {name!r} in {folder} is not one of {model.name}: "
            f"{'; '.join(complaints[:_NAMED])}{more}."
        )


def _base_modules(model: Path) -> dict[str, set[tuple[int, ...]]]:
    """The shapes of the model's weights by module, whatever that is wrapped in; empty if unknown."""
    try:
        quantised = "quantization_config" in json.loads((model / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, set[tuple[int, ...]]] = {}
    for file in [] if quantised else model.glob("*.safetensors"):
        for key, shape in safetensors_shapes(file).items():
            if key.endswith(".weight"):
                found.setdefault(_tail(key.removesuffix(".weight")), set()).add(shape)
    return found


def _misfits(adapter: Shapes, base: Mapping[str, set[tuple[int, ...]]]) -> Iterable[str]:
    for key, shape in sorted(adapter.items()):
        module, _, side = key.partition(".lora_")
        if side not in ("A.weight", "B.weight") or len(shape) != 2:
            continue
        place, width = (1, shape[1]) if side == "A.weight" else (0, shape[0])
        there = {s[place] for s in base.get(_tail(module), ()) if len(s) == 2}
        if not there:
            yield f"it has no {_tail(module)}"
        elif width not in there:
            yield f"{_tail(module)} is {min(there)} wide, not {width}"


def _tail(module: str) -> str:
    """`layers.0.self_attn.q_proj` of `base_model.model.model.layers.0.self_attn.q_proj`."""
    before, layers, rest = module.partition("layers.")
    return layers + rest if layers else before.removeprefix("base_model.model.")
