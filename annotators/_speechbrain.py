"""What every annotator that runs a network of SpeechBrain shares: its files, and peace in sys.modules.

The networks are built in code from the published hyperparameters; `hyperparams.yaml` is not read, since
reading it constructs any class it names.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain.utils.importutils import LazyModule
from torch import nn

from annotators._torch import load_exactly, read_checkpoint
from pipeline.models import Located, ModelError

_COMPUTED = "pos_enc.pe"  # the table of sines, which some releases store

# SpeechBrain's old names for its modules stand in sys.modules, and whoever asks one for its file
# imports it: a warning for some, for others an ImportError that k2 is not installed.
for _name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
    del sys.modules[_name]


def load(model: Located, parts: Mapping[str, nn.Module]) -> None:
    """Load `<part>.ckpt` into each part, every tensor of it; ModelError where one does not fit."""
    for part, network in parts.items():
        file = model.folder / f"{part}.ckpt"
        computed = {k: v for k, v in network.state_dict().items() if k.endswith(_COMPUTED)}
        learned = {k: v for k, v in tensors(file).items() if not k.endswith(_COMPUTED)}
        load_exactly(network, computed | learned, f"{model.published.name} ({file.name})")
        network.eval()


def tensors(file: Path) -> dict[str, Any]:
    """The tensors of a checkpoint by their keys."""
    state = read_checkpoint(file)
    if not isinstance(state, Mapping):
        raise ModelError(f"The checkpoint {file} holds no tensors by name.")
    return dict(state)


def shape(state: Mapping[str, Any], key: str, name: str) -> tuple[int, ...]:
    """The shape of a tensor that tells the sizes of a network; ModelError where it is not there."""
    if key not in state:
        raise ModelError(f"The checkpoint of {name} does not fit: it lacks {key}.")
    return tuple(state[key].shape)
