"""The wav2vec2 regressors of audeering: a wav2vec2, the mean over its frames, and heads on that mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from annotators._torch import (
    Device,
    device_of,
    inference,
    load_exactly,
    middle,
    read_checkpoint,
    shapes,
    with_modern_keys,
)
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import (
    Located,
    ModelError,
    Published,
    compare_shapes,
    locate,
    safetensors_shapes,
)

Weights = Literal["model.safetensors", "pytorch_model.bin"]
Heads = Mapping[str, int]
"""How many numbers each head gives, by its name in the checkpoint."""

CONFIG, EXTRACTOR = "config.json", "preprocessor_config.json"
FEWEST_SAMPLES = 400  # the convolutions make their first frame of 25 ms


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network takes in. `faults` has an entry per clip, `values` a row per clip without a fault."""

    faults: tuple[ClipError | None, ...]
    values: torch.Tensor | None  # [n_heard, n_samples]; None where no clip can be heard
    mask: torch.Tensor | None  # [n_heard, n_samples], 1 where there is sound


class Regressor(nn.Module):
    """The published layout: `wav2vec2.*`, then `<head>.dense.*` and `<head>.out_proj.*`."""

    def __init__(self, config: Wav2Vec2Config, heads: Heads) -> None:
        super().__init__()
        self.wav2vec2 = Wav2Vec2Model(config)
        self._heads = tuple(heads)
        for name, n_outputs in heads.items():
            self.add_module(name, _Head(config.hidden_size, n_outputs))

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        """The numbers of each head, [n_clips, n_outputs]; padding touches none of them."""
        frames = self.wav2vec2(values, attention_mask=mask).last_hidden_state
        n_frames = self.wav2vec2._get_feat_extract_output_lengths(mask.sum(dim=1))
        heard = torch.arange(frames.shape[1], device=frames.device) < n_frames[:, None]
        mean = (frames * heard[..., None]).sum(dim=1) / n_frames[:, None]
        return {name: getattr(self, name)(mean) for name in self._heads}


class _Head(nn.Module):
    def __init__(self, n_hidden: int, n_outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(n_hidden, n_hidden)
        self.out_proj = nn.Linear(n_hidden, n_outputs)

    def forward(self, mean: torch.Tensor) -> torch.Tensor:
        return self.out_proj(torch.tanh(self.dense(mean)))


class Recogniser:
    """A loaded model: clips in, the numbers of its heads out."""

    def __init__(self, model: Published, heads: Heads, max_s: float, device: Device, half: bool) -> None:
        found = locate(model)
        self._max_s, self._half = max_s, half
        self._device = device_of(device)
        self._extractor = Wav2Vec2FeatureExtractor.from_dict(_json(found.folder / EXTRACTOR))
        network = Regressor(_config(found), heads)
        load_exactly(network, with_modern_keys(_state(found)), model.name)
        self._network = network.eval().to(self._device)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """The middle of each clip, brought to zero mean and unit variance by itself, then padded."""
        sounds = [middle(clip.speech, self._max_s) for clip in clips]
        faults = tuple(_fault(sound) for sound in sounds)
        heard = [sound for sound, fault in zip(sounds, faults, strict=True) if fault is None]
        if not heard:
            return Prepared(faults, None, None)
        features = self._extractor(
            heard,
            sampling_rate=SAMPLE_RATE_HZ,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        )
        return Prepared(faults, features.input_values, features.attention_mask)

    def numbers(self, batch: Prepared) -> list[dict[str, list[float]] | ClipError]:
        """The numbers of each head, by its name, or why there are none; one entry per clip, in order."""
        if batch.values is None or batch.mask is None:
            return [fault for fault in batch.faults if fault is not None]
        with inference(self._device, self._half):
            found = self._network(batch.values.to(self._device), batch.mask.to(self._device))
        rows = {name: iter(numbers.float().cpu().tolist()) for name, numbers in found.items()}
        return [fault or {name: next(each) for name, each in rows.items()} for fault in batch.faults]


def files(weights: Weights) -> tuple[str, ...]:
    """The files of such a model, the largest first."""
    return weights, CONFIG, EXTRACTOR


def check(model: Published, heads: Heads) -> None:
    """ModelError where the checkpoint lacks a tensor, has one too many, or one of another shape."""
    found = locate(model)
    with torch.device("meta"):
        expected = Regressor(_config(found), heads)
    compare_shapes(model.name, shapes(expected.state_dict()), with_modern_keys(_shapes(found)))
    _json(found.folder / EXTRACTOR)


def _fault(sound: Samples) -> ClipError | None:
    if len(sound) < FEWEST_SAMPLES:
        seconds = len(sound) / SAMPLE_RATE_HZ
        return ClipError("too_short", f"Nothing can be recognised in {seconds:.3f} s of sound.")
    if not sound.any():
        return ClipError("silent", "The sound is digital silence.")
    return None


def _config(found: Located) -> Wav2Vec2Config:
    """The sizes of the network; ModelError where the file holds none."""
    values = _json(found.folder / CONFIG)
    if values.get("model_type", "wav2vec2") != "wav2vec2":
        raise ModelError(f"The model {found.published.name} is a {values['model_type']}, not a wav2vec2.")
    return Wav2Vec2Config.from_dict(values)


def _json(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise ModelError(f"{file} is not JSON, or is cut short.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{file} holds no settings.")
    return values


def _weights(found: Located) -> Path:
    return found.folder / found.published.files[0]


def _shapes(found: Located) -> dict[str, tuple[int, ...]]:
    file = _weights(found)
    return safetensors_shapes(file) if file.suffix == ".safetensors" else shapes(read_checkpoint(file))


def _state(found: Located) -> dict[str, torch.Tensor]:
    file = _weights(found)
    if file.suffix != ".safetensors":
        state: dict[str, torch.Tensor] = read_checkpoint(file)
        return state
    try:
        return dict(load_file(file))
    except SafetensorError as error:
        raise ModelError(f"{file} is not a safetensors file, or is cut short.") from error
