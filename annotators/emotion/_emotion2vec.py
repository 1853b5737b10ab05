"""emotion2vec as published: its files, and the network over many clips at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import yaml
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from annotators._torch import read_checkpoint, shapes
from annotators.emotion._funasr import funasr_module
from pipeline.models import Located, ModelError, compare_shapes

_WEIGHTS, _CONFIG, _LABELS = FILES = ("model.pt", "config.yaml", "tokens.txt")
_PREFIX = "d2v_model."  # of every tensor in the file but the classifier's, `proj.*`
_SPEC = re.compile(r"[\d\s()\[\],+*]+")  # FunASR evaluates this text as Python
_WITHOUT = ("learned_alibi", "learned_alibi_scale_per_layer", "conv_pos_pre_ln")

Emotion2vec = funasr_module("models.emotion2vec.model").Emotion2vec


def load(found: Located, labels: tuple[str, ...]) -> nn.Module:
    """The network with every tensor of the file, on the CPU; ModelError if they do not fit."""
    network, state = check(found, labels)
    network = network.to_empty(device="cpu")
    network.load_state_dict({_inner(key): tensor for key, tensor in state.items()}, strict=True)
    return network.eval()


def check(found: Located, labels: tuple[str, ...]) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """The network without values, and the tensors of the file that fit it; ModelError if they do not."""
    name = found.published.name
    _check_labels(name, found.folder / _LABELS, labels)
    network = built(found, len(labels))
    held = read_checkpoint(found.folder / _WEIGHTS)
    state = held.get("model") if isinstance(held, dict) else None
    if not isinstance(state, dict):
        raise ModelError(f"The checkpoint of {name} does not fit: it has no part 'model'.")
    expected = {_published_key(key): shape for key, shape in shapes(network.state_dict()).items()}
    compare_shapes(name, expected, shapes(state))
    return network, state


def mean_features(network: nn.Module, sounds: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The mean over the frames of each sound, [n_clips, n_features]; padding touches none of them.

    What FunASR computes of one clip, for many: its own way to pad lets the padding into the
    positional convolutions and moves features by 0.3 to 0.8. Here it is zeroed again before each of
    them, and attention passes it over.
    """
    encoder: Any = network.modality_encoders["AUDIO"]
    local = encoder.local_features(sounds)  # [n_clips, n_frames, n_features]
    n_frames = _n_frames(lengths, encoder.feature_enc_layers)
    real = torch.arange(local.shape[1], device=local.device) < n_frames[:, None]
    x = local + _positions(encoder.relative_positional_encoder, local, real)
    n_extra = encoder.modality_cfg.num_extra_tokens
    x = torch.cat([encoder.extra_tokens.expand(len(x), -1, -1).to(x), x], dim=1)
    bias = _bias(encoder, F.pad(real, (n_extra, 0), value=True), n_extra)
    x = encoder.context_encoder.norm(x)
    for block in (*encoder.context_encoder.blocks, *network.blocks):
        x = _block(block, x, bias)
    return (x[:, n_extra:].float() * real[..., None]).sum(dim=1) / n_frames[:, None]


def _n_frames(lengths: torch.Tensor, layers: Sequence[tuple[int, int, int]]) -> torch.Tensor:
    for _, width, stride in layers:
        lengths = torch.div(lengths - width, stride, rounding_mode="floor") + 1
    return lengths


def _positions(encoder: Any, x: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    first, *convolutions, last = encoder.children()
    kept = real[:, None, :]
    x = first(x) * kept  # [n_clips, n_features, n_frames]
    for convolution in convolutions:
        x = convolution(x) * kept
    return last(x)


def _bias(encoder: Any, real: torch.Tensor, n_extra: int) -> torch.Tensor:
    """What is added to the logits of attention, [n_clips or 1, n_heads, n_tokens, n_tokens]."""
    n_frames = real.shape[1] - n_extra
    bias = encoder.get_alibi_bias(
        batch_size=1,
        time_steps=n_frames,
        heads=encoder.modality_cfg.num_alibi_heads,
        dtype=torch.float32,
        device=real.device,
    )
    bias = F.pad(bias * encoder.alibi_scale.clamp_min(0).squeeze(0), (n_extra, 0, n_extra, 0))
    if bool(real.all()):
        return bias
    return bias.masked_fill(~real[:, None, None, :], float("-inf"))


def _block(block: Any, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """One layer of the transformer, normalised behind each of its halves; attention is torch's own."""
    attention = block.attn
    n_clips, n_tokens, n_features = x.shape
    q, k, v = attention.qkv(x).view(n_clips, n_tokens, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), scale=attention.scale)
    x = block.norm1(x + attention.proj(mixed.transpose(1, 2).reshape(n_clips, n_tokens, n_features)))
    return block.norm2(x + block.mlp(x))


def _check_labels(name: str, file: Path, expected: tuple[str, ...]) -> None:
    labels = file.read_text(encoding="utf-8", errors="replace").split()
    if labels != list(expected):
        raise ModelError(
            f"The labels of {name} are not those of emotion2vec plus: {file} has {len(labels)} "
            f"({', '.join(labels)}), not {', '.join(expected)}."
        )


def built(found: Located, n_labels: int) -> nn.Module:
    """The network the settings describe, on the meta device: names and shapes, no values."""
    settings = _settings(found)
    try:
        with torch.device("meta"):
            network: nn.Module = Emotion2vec(model_conf=settings, vocab_size=n_labels)
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        raise ModelError(f"{found.folder / _CONFIG} does not describe an emotion2vec network.") from error
    return network


def _settings(found: Located) -> dict[str, Any]:
    """The network's settings, without its decoder, which only training needs and the file leaves out."""
    file = found.folder / _CONFIG
    try:
        settings: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["model_conf"]
        audio: dict[str, Any] = settings["modalities"]["audio"]
        spec = audio["feature_encoder_spec"]
        held = {
            "layer_norm_first": not settings["layer_norm_first"],
            "normalize": settings["normalize"],
            "num_alibi_heads": audio["num_alibi_heads"] == settings["num_heads"],
            "use_alibi_encoder": audio["use_alibi_encoder"],
            "extractor_mode": audio["extractor_mode"] == "layer_norm",
            "feature_encoder_spec": _SPEC.fullmatch(spec),
            **{name: not audio.get(name) for name in _WITHOUT},
        }
    except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} does not describe an emotion2vec network.") from error
    if odd := [name for name, holds in held.items() if not holds]:
        raise ModelError(f"{file} describes another network than emotion2vec plus: {', '.join(odd)}.")
    audio["decoder"] = None
    return settings


def _published_key(key: str) -> str:
    return key if key.startswith("proj.") else _PREFIX + key


def _inner(key: str) -> str:
    return key.removeprefix(_PREFIX)
