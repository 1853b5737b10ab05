"""What every annotator that runs a network in torch shares: the device, precision, loading, padding."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import nn

from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.models import ModelError, compare_shapes

V = TypeVar("V")
Device = Literal["auto", "cpu", "cuda"]


def device_of(name: Device) -> torch.device:
    """The device asked for; `auto` takes a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise ModelError("The option device=cuda asks for a GPU, and torch finds none.")
    return torch.device(name)


def clips_at_once(device: torch.device, most: int) -> int:
    """Clips in a batch: on a processor one, as padding costs more there than batching saves.

    Measured on one core, wav2vec2 of 3 million parameters, 16 clips of 2 to 20 s: 2.0 s one by one,
    2.6 s in pairs, 5.1 s in batches of 160 s.
    """
    return most if device.type == "cuda" else 1


def read_checkpoint(file: Path) -> Any:
    """What a torch file holds, on the CPU, memory-mapped where its format allows.

    Never runs code from the file: `weights_only`. ModelError where it is cut short or holds more than
    tensors and plain values.
    """
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=_is_zip(file))
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The checkpoint {file} cannot be read: {reason}") from error


def load_exactly(model: nn.Module, state: Mapping[str, torch.Tensor], name: str) -> None:
    """Load every tensor; ModelError naming keys that are missing, unexpected or of another shape."""
    compare_shapes(name, shapes(model.state_dict()), shapes(state))
    model.load_state_dict(dict(state), strict=True)


def shapes(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor."""
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def with_modern_keys(state: Mapping[str, V]) -> dict[str, V]:
    """The same under today's keys of weight normalisation, which checkpoints before torch 2.1 lack."""
    return {
        key.replace(".weight_g", ".parametrizations.weight.original0").replace(
            ".weight_v", ".parametrizations.weight.original1"
        ): value
        for key, value in state.items()
    }


def middle(sound: Samples, seconds: float) -> Samples:
    """The middle of a sound, at most that long."""
    most = round(seconds * SAMPLE_RATE_HZ)
    skipped = max(0, len(sound) - most) // 2
    return sound[skipped : skipped + most]


def padded(sounds: Sequence[Samples]) -> tuple[torch.Tensor, torch.Tensor]:
    """Sounds with zeros behind the shorter ones, [n_clips, n_samples], and their lengths, [n_clips]."""
    lengths = torch.tensor([len(s) for s in sounds])
    batch = torch.zeros(len(sounds), int(lengths.max()))
    for row, sound in zip(batch, sounds, strict=True):
        row[: len(sound)] = torch.from_numpy(np.ascontiguousarray(sound))
    return batch, lengths


@contextmanager
def inference(device: torch.device, half: bool) -> Iterator[None]:
    """No gradients; on a GPU in bfloat16 where `half` asks for it."""
    with (
        torch.inference_mode(),
        torch.autocast(device.type, torch.bfloat16, enabled=half and device.type == "cuda"),
    ):
        yield


def _is_zip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"PK\x03\x04"
