"""What MMS_FA hears: the probability of every romanised letter in every 20 ms of sound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchaudio.models import wav2vec2_model
from torchaudio.pipelines import MMS_FA

from annotators._torch import (
    Device,
    device_of,
    inference,
    load_exactly,
    padded,
    read_checkpoint,
    shapes,
    with_modern_keys,
)
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.models import ModelError, Published, Shapes, compare_shapes, locate

LABELS = (
    "-", "a", "i", "e", "n", "o", "u", "t", "s", "r", "m", "k", "l", "d", "g", "h", "y", "b", "p", "w",
    "c", "v", "j", "z", "f", "'", "q", "x",
)  # fmt: skip
"""The order of the model's outputs; the first is the blank."""
FEWEST_SAMPLES = 400  # a frame hears so many: frame i hears i * 320 .. i * 320 + 400
_UNTRAINED = 3  # rows of the published output layer, behind the blank: fairseq's own marks

_HOP = 320  # samples between frames
_WINDOW = 1500  # frames a longer clip is cut into: 30 s
_CONTEXT = 150  # frames heard beyond the window on both sides: 3 s
_AT_ONCE = 120 * SAMPLE_RATE_HZ  # samples in a padded batch of windows


class Hearing:
    """The loaded network."""

    def __init__(self, model: str, device: Device, half: bool) -> None:
        self._device, self._half = device_of(device), half
        state = _state(model)
        network = _network(shapes(state))
        load_exactly(network, state, model)
        self._network = network.eval().to(self._device)

    def chances(self, clips: Sequence[Sequence[Samples]]) -> list[torch.Tensor]:
        """Log probabilities of the labels in each frame of a clip, [n_frames, n_labels], from its windows."""
        found: list[torch.Tensor] = []
        for group in _groups([window for windows in clips for window in windows]):
            values, lengths = padded(group)
            with inference(self._device, self._half):
                logits, n_frames = self._network(values.to(self._device), lengths.to(self._device))
            each = torch.log_softmax(logits.float(), dim=-1).cpu()
            found += [window[:n] for window, n in zip(each, n_frames.tolist(), strict=True)]
        rest = iter(found)
        return [_joined([next(rest) for _ in windows]) for windows in clips]


def published(model: str) -> Published:
    """The model of that name, or the file or folder there."""
    path = Path(model)
    return Published(
        name=model,
        files=(path.name if path.suffix == ".pt" else "model.pt",),
        licence="CC-BY-NC-4.0",
        commercial=False,
        size_bytes=1_262_000_000,
        about="romanised text aligned to sound in 1,130 languages; wav2vec2 of 24 layers",
        hub="url",
        url="https://dl.fbaipublicfiles.com/mms/torchaudio/ctc_alignment_mling_uroman/model.pt",
    )


def check(model: str) -> None:
    """ModelError where the checkpoint lacks a tensor, has one too many, or one of another shape."""
    found = shapes(_state(model))
    with torch.device("meta"):
        network = _network(found)
    compare_shapes(model, shapes(network.state_dict()), found)


def windows_of(sound: Samples) -> tuple[Samples, ...]:
    """The sound at zero mean and unit variance, in windows whose inner frames make up those of the whole."""
    values = torch.from_numpy(sound.copy())
    whole: Samples = nn.functional.layer_norm(values, values.shape).numpy()
    n_frames = (len(whole) - FEWEST_SAMPLES) // _HOP + 1
    if n_frames <= _WINDOW + _CONTEXT:
        return (whole,)
    return tuple(
        whole[max(0, first - _CONTEXT) * _HOP : (first + _WINDOW + _CONTEXT - 1) * _HOP + FEWEST_SAMPLES]
        for first in range(0, n_frames, _WINDOW)
    )


def _joined(windows: Sequence[torch.Tensor]) -> torch.Tensor:
    """The frames of a clip from those of its windows, without their context."""
    if len(windows) == 1:
        return windows[0]
    first, *others = windows
    return torch.cat([first[:_WINDOW], *(each[_CONTEXT : _CONTEXT + _WINDOW] for each in others)])


def _groups(sounds: Sequence[Samples]) -> Iterator[list[Samples]]:
    """Runs of sounds that padded to one length stay small enough."""
    group: list[Samples] = []
    for sound in sounds:
        longest = max(len(each) for each in [*group, sound])
        if group and longest * (len(group) + 1) > _AT_ONCE:
            yield group
            group = []
        group.append(sound)
    if group:
        yield group


def _state(model: str) -> dict[str, torch.Tensor]:
    """The published tensors, as the network names them and without the untrained rows."""
    found = locate(published(model))
    state = with_modern_keys(read_checkpoint(found.folder / found.published.files[0]))
    n_rows = len(LABELS) + _UNTRAINED
    for key in {"aux.weight", "aux.bias"} & state.keys():
        if len(state[key]) != n_rows:
            raise ModelError(
                f"The checkpoint of {model} does not fit: {key} has {len(state[key])} rows, not {n_rows}."
            )
        state[key] = torch.cat([state[key][:1], state[key][1 + _UNTRAINED :]])
    return state


def _network(found: Shapes) -> nn.Module:
    """A network of the checkpoint's sizes, or of the published ones where the checkpoint does not tell."""
    sizes: dict[str, Any] = dict(MMS_FA._params)
    if projection := found.get("encoder.feature_projection.projection.weight"):
        n_outputs, n_channels = projection
        layers = sizes["extractor_conv_layer_config"]
        sizes["encoder_embed_dim"] = n_outputs
        sizes["extractor_conv_layer_config"] = [(n_channels, kernel, stride) for _, kernel, stride in layers]
    position = found.get("encoder.transformer.pos_conv_embed.conv.parametrizations.weight.original1")
    if position:
        sizes["encoder_pos_conv_groups"] = position[0] // position[1]
        sizes["encoder_pos_conv_kernel"] = position[2]
    if inner := found.get("encoder.transformer.layers.0.feed_forward.intermediate_dense.weight"):
        sizes["encoder_ff_interm_features"] = inner[0]
    numbers = {m[1] for key in found if (m := re.match(r"encoder\.transformer\.layers\.(\d+)\.", key))}
    if numbers:
        sizes["encoder_num_layers"] = 1 + max(map(int, numbers))
    return wav2vec2_model(**sizes)
