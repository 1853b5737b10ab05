"""What every way that runs OpenAI's Whisper shares: its checkpoints, its languages, its log-mel windows."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import whisper
from torch.overrides import TorchFunctionMode
from whisper.audio import N_FRAMES
from whisper.model import ModelDimensions, Whisper

from annotators._torch import Device, device_of, read_checkpoint, shapes
from pipeline.annotator import Model
from pipeline.clip import Samples
from pipeline.errors import unknown
from pipeline.models import Located, ModelError, Published, compare_shapes, digest, locate

DEFAULT = "openai/whisper-large-v3"
WINDOWS = 32
"""Windows of 30 s in a forward pass; large-v3 takes about 13 GB for them in half precision, of which
7.9 GB are the keys and values of its cross-attention (32 x 32 x 2 x 1500 x 1280 x 2 bytes)."""
ENGLISH_ONLY = 51864
"""Tokens in the vocabulary of a Whisper without tokens for languages."""

_PREFIX = "openai/whisper-"
_SIZES = {  # bytes of the published files: half precision, 2 bytes a parameter
    "tiny": 75_572_083, "tiny.en": 75_571_315, "base": 145_262_807, "base.en": 145_261_783,
    "small": 483_617_219, "small.en": 483_615_683, "medium": 1_528_008_539, "medium.en": 1_528_006_491,
    "large-v1": 3_086_999_982, "large-v2": 3_086_999_982, "large-v3": 3_087_371_615,
    "large-v3-turbo": 1_617_941_637,
}  # fmt: skip
_VOCABULARIES = (ENGLISH_ONLY, 51865, 51866)  # 99 languages; 100 with Cantonese
_HEADS = {(32, 20): "large-v3", (4, 20): "large-v3-turbo"}  # (n_text_layer, n_text_head), with 128 mels
_FULL_PRECISION = re.compile(r"(?:^|[._])ln(?:[._]|$)|positional_embedding")

_ISO = {"jw": "jv", "tl": "fil"}  # where Whisper's code is not the one of our Language rows
_WHISPER = {iso: code for code, iso in _ISO.items()} | {"nb": "no"}


def published(options: Mapping[str, object]) -> tuple[Published, ...]:
    """The checkpoint the option `model` names: as published (`large-v3`, `turbo`), a .pt file, its folder."""
    return (_published(_name(options)),)


def models(options: Mapping[str, object]) -> tuple[Model, ...]:
    """The checkpoint as found on this machine."""
    found = located(_name(options))
    entry = found.published
    return (Model(entry.name, found.identity, entry.licence, entry.commercial, entry.about),)


def check(options: Mapping[str, object]) -> ModelDimensions:
    """Prove that the checkpoint is whole and of Whisper's layout; ModelError naming what is not."""
    return _read(located(_name(options)))[0]


def located(model: str) -> Located:
    """Where the checkpoint is: as `pipeline.models.locate` finds it, else in Whisper's own cache."""
    entry = _published(model)
    try:
        return locate(entry)
    except ModelError:
        cached = _cache() / entry.files[0]
        if not entry.url or not cached.is_file():
            raise
    return Located(entry, cached.parent, digest([cached]))


def load(model: str, device: Device, half: bool) -> Whisper:
    """The network on its device, in half precision only on a GPU; one copy for all who ask for the same."""
    found = located(model)
    target = device_of(device)
    return _loaded(found.folder / found.published.files[0], found, target, half and target.type == "cuda")


def log_mels(samples: Samples, n_mels: int) -> torch.Tensor:
    """One window, silence behind it: [n_mels, 3000].

    Window by window: the floor lies 8 decades under the loudest frame of the window itself.
    """
    return whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), n_mels=n_mels)


def encoded(network: Whisper, mels: Sequence[torch.Tensor]) -> torch.Tensor:
    """What the decoder attends to, [n_windows, 1500, n_audio_state]."""
    kind = network.encoder.conv1.weight.dtype
    return network.encoder(torch.stack(list(mels)).to(network.device, kind))


def detected(network: Whisper, features: torch.Tensor) -> list[tuple[str, float]]:
    """Whisper's code of the likeliest language of each window, with its probability."""
    _, every = network.detect_language(features)
    return [max(found.items(), key=lambda entry: entry[1]) for found in every]


def iso_code(code: str) -> str:
    """The code of a language in our rows, from Whisper's."""
    return _ISO.get(code, code)


def whisper_code(network: Whisper, iso: str | None) -> str | None:
    """Whisper's code of a language in our rows; None where this network does not know it."""
    known = list(whisper.tokenizer.LANGUAGES)[: network.num_languages]
    code = None if iso is None else _WHISPER.get(iso, iso)
    return code if code in known else None


def _name(options: Mapping[str, object]) -> str:
    return str(options.get("model", DEFAULT))


def _published(model: str) -> Published:
    name = model.removeprefix(_PREFIX)
    if name in whisper.available_models():
        url = whisper._MODELS[name]
        sha256, file = url.split("/")[-2:]
        return _entry(_PREFIX + Path(file).stem, file, url=url, sha256=sha256)
    path = Path(model).expanduser()
    if path.suffix == ".pt":
        return _entry(model, path.name)
    if not path.is_dir():
        raise unknown("Whisper model", model, whisper.available_models())
    files = sorted(file.name for file in path.glob("*.pt"))
    if len(files) != 1:
        raise ModelError(f"The folder {model} holds {len(files)} .pt files; name the file.")
    return _entry(model, files[0])


@lru_cache(maxsize=1)
def _loaded(file: Path, found: Located, device: torch.device, half: bool) -> Whisper:
    dims, state = _read(found)
    network = _bare(dims)
    ready = {key: tensor.to(device, _kind(key, half), copy=True) for key, tensor in state.items()}
    network.load_state_dict(ready, strict=True, assign=True)
    mask = torch.full((dims.n_text_ctx, dims.n_text_ctx), -torch.inf, device=device).triu_(1)
    network.decoder.register_buffer("mask", mask, persistent=False)
    _aim_heads(network, device)
    return network.eval().requires_grad_(False)


def _read(found: Located) -> tuple[ModelDimensions, Mapping[str, torch.Tensor]]:
    file = found.folder / found.published.files[0]
    held = read_checkpoint(file)
    if not isinstance(held, dict) or not {"dims", "model_state_dict"} <= held.keys():
        raise ModelError(f"{file} is no Whisper checkpoint: it holds no dims and model_state_dict.")
    dims = _dims(file, held["dims"])
    state: Mapping[str, torch.Tensor] = held["model_state_dict"]
    compare_shapes(str(file), shapes(_bare(dims).state_dict()), shapes(state))
    return dims, state


def _dims(file: Path, held: Any) -> ModelDimensions:
    names = {field.name for field in fields(ModelDimensions)}
    if not isinstance(held, dict) or held.keys() != names:
        raise ModelError(f"{file} is no Whisper checkpoint: its dims must be {', '.join(sorted(names))}.")
    dims = ModelDimensions(**held)
    sound = all(type(value) is int and value > 0 for value in held.values())
    fits = dims.n_mels in (80, 128) and dims.n_audio_ctx * 2 == N_FRAMES and dims.n_vocab in _VOCABULARIES
    if not (sound and fits):
        raise ModelError(f"{file} is no Whisper checkpoint: its dims are {held}.")
    return dims


def _bare(dims: ModelDimensions) -> Whisper:
    """The network without memory for its tensors; its constructor alone takes seconds to fill them."""
    with torch.device("meta"), _Dense():
        return Whisper(dims)


class _Dense(TorchFunctionMode):
    """Leaves tensors dense: the meta device has no sparse ones, and the constructor makes one."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return args[0] if func is torch.Tensor.to_sparse else func(*args, **(kwargs or {}))


def _kind(key: str, half: bool) -> torch.dtype:
    """Whisper computes norms and positions in full precision whatever the rest is in."""
    return torch.float16 if half and not _FULL_PRECISION.search(key) else torch.float32


def _aim_heads(network: Whisper, device: torch.device) -> None:
    """Choose the heads that follow time: the published ones where known, else the last half of the layers."""
    dims = network.dims
    known = _HEADS.get((dims.n_text_layer, dims.n_text_head)) if dims.n_mels == 128 else None
    if known is not None:
        network.set_alignment_heads(whisper._ALIGNMENT_HEADS[known])
        network.alignment_heads = network.alignment_heads.to(device)
        return
    heads = torch.zeros(dims.n_text_layer, dims.n_text_head, dtype=torch.bool, device=device)
    heads[dims.n_text_layer // 2 :] = True
    network.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)


def _entry(name: str, file: str, url: str = "", sha256: str | None = None) -> Published:
    size = _SIZES.get(Path(file).stem, 0)
    about = "OpenAI Whisper: recognises speech and its language"
    return Published(
        name, (file,), "MIT", True, size, about, hub="url" if url else "huggingface", url=url, sha256=sha256
    )


def _cache() -> Path:
    """Where whisper.load_model keeps what it fetched."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "whisper"
