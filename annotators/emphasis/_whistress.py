"""WhiStress as published: its files, and the probability of stress of every token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import WhisperConfig, WhisperModel
from transformers.models.whisper.modeling_whisper import WhisperDecoderLayer

from annotators._torch import read_checkpoint, shapes
from pipeline.models import Located, ModelError, compare_shapes, safetensors_shapes

_BLOCK, _CLASSIFIER, _METADATA = HEAD_FILES = (
    "additional_decoder_block.pt",
    "classifier.pt",
    "metadata.json",
)
_WEIGHTS, _CONFIG = BACKBONE_FILES = ("model.safetensors", "config.json")
_PREFIX = "model."  # of every tensor of the backbone's file
_TIED = "proj_out.weight"  # the embedding again, where a file holds it
_ENGLISH_ONLY = 51_864  # tokens of Whisper's vocabulary; the ids differ in the others
_STRESSED = 1  # of the classifier's two outputs


class WhiStress(nn.Module):
    """The first layers of a frozen Whisper, one more layer of its decoder, and a classifier of tokens."""

    def __init__(self, config: WhisperConfig, layer: int) -> None:
        super().__init__()
        self.backbone = WhisperModel._from_config(config, attn_implementation="sdpa")
        self.block = WhisperDecoderLayer(self.backbone.config, layer_idx=0)
        self.classifier = nn.Sequential()
        self.classifier.add_module("fc1", nn.Linear(config.d_model, 2 * config.d_model))
        self.classifier.add_module("relu", nn.ReLU())
        self.classifier.add_module("fc2", nn.Linear(2 * config.d_model, 2))
        self._layer = layer

    def forward(self, features: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """The logits at each token, [n_clips, n_tokens, 2]: they judge the token behind it.

        `features` is [n_clips, n_mels, 3000]. No token sees a later one, so padding behind a text
        changes nothing. The block is told so by a mask: transformers leaves it out where there is
        none and attention is `eager`.
        """
        heard = self.backbone.encoder(features, output_hidden_states=True)
        read = self.backbone.decoder(
            input_ids=tokens,
            encoder_hidden_states=heard.last_hidden_state,
            output_hidden_states=True,
            use_cache=False,
        )
        n_tokens = tokens.shape[1]
        earlier = torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=tokens.device).tril()
        states = self.block(
            read.hidden_states[self._layer],
            attention_mask=earlier[None, None],
            encoder_hidden_states=heard.hidden_states[self._layer],
        )
        return self.classifier(states)


def stress(logits: torch.Tensor) -> torch.Tensor:
    """The probability that each token but the first is stressed, [n_clips, n_tokens - 1]."""
    return torch.softmax(logits[:, :-1].float(), dim=-1)[..., _STRESSED]


def load(backbone: Located, head: Located) -> WhiStress:
    """The network with every tensor of the files, on the CPU; ModelError where they do not fit."""
    check(backbone, head)
    network = WhiStress(_config(backbone), _layer(backbone, head))
    network.backbone.load_state_dict(_backbone_state(backbone))
    network.block.load_state_dict(_state(head, _BLOCK))
    network.classifier.load_state_dict(_state(head, _CLASSIFIER))
    network.eval()
    return network


def check(backbone: Located, head: Located) -> None:
    """ModelError where a tensor is missing, unexpected or of another shape."""
    with torch.device("meta"):
        network = WhiStress(_config(backbone), _layer(backbone, head))
    expected = {_PREFIX + key: shape for key, shape in shapes(network.backbone.state_dict()).items()}
    found = safetensors_shapes(backbone.folder / _WEIGHTS)
    found.pop(_TIED, None)
    compare_shapes(backbone.published.name, expected, found)
    for part, file in ((network.block, _BLOCK), (network.classifier, _CLASSIFIER)):
        owner = f"{head.published.name} ({file})"
        compare_shapes(owner, shapes(part.state_dict()), shapes(_state(head, file)))


def _backbone_state(found: Located) -> dict[str, torch.Tensor]:
    file = found.folder / _WEIGHTS
    try:
        state = load_file(file)
    except SafetensorError as error:
        raise ModelError(f"{file} is not a safetensors file, or is cut short.") from error
    return {key.removeprefix(_PREFIX): tensor for key, tensor in state.items() if key != _TIED}


def _state(found: Located, name: str) -> dict[str, torch.Tensor]:
    state = read_checkpoint(found.folder / name)
    if not isinstance(state, dict) or not all(isinstance(t, torch.Tensor) for t in state.values()):
        raise ModelError(f"The checkpoint {found.folder / name} holds no tensors by name.")
    return state


def _config(found: Located) -> WhisperConfig:
    """The backbone's sizes; ModelError where it is no English-only Whisper."""
    name, values = found.published.name, _json(found.folder / _CONFIG)
    if values.get("model_type") != "whisper":
        raise ModelError(f"The model {name} is a {values.get('model_type')}, not a Whisper.")
    if values.get("vocab_size") != _ENGLISH_ONLY:
        raise ModelError(
            f"The model {name} has {values.get('vocab_size')} tokens; WhiStress stands on an "
            f"English-only Whisper, of {_ENGLISH_ONLY}."
        )
    return WhisperConfig.from_dict(values)


def _layer(backbone: Located, head: Located) -> int:
    """The layer whose states the head reads; 0 is the embedding."""
    config, file = _config(backbone), head.folder / _METADATA
    layer = _json(file).get("layer_for_head")
    most = min(config.encoder_layers, config.decoder_layers)
    if type(layer) is not int or not 0 <= layer <= most:
        raise ModelError(f"{file} names the layer {layer!r}; {backbone.published.name} has 0 to {most}.")
    return layer


def _json(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not JSON, or is cut short.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{file} holds no settings.")
    return values
