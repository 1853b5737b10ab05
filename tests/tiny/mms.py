"""torchaudio's MMS_FA, 2 layers of 32 instead of 24 of 1024, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torchaudio.models import wav2vec2_model
from torchaudio.pipelines import MMS_FA

FILE = "model.pt"
_HIDDEN = 32
PARAMETERS: dict[str, Any] = MMS_FA._params | {
    "extractor_conv_layer_config": [
        (16, kernel, stride) for _, kernel, stride in MMS_FA._params["extractor_conv_layer_config"]
    ],
    "encoder_embed_dim": _HIDDEN,
    "encoder_num_layers": 2,
    "encoder_ff_interm_features": 64,
    "encoder_pos_conv_kernel": 16,
    "encoder_pos_conv_groups": 4,
}


def make(folder: Path) -> Path:
    """The file as published: older keys of weight normalisation, three more labels behind the blank."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = {
            key.replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): value.detach().clone()
            for key, value in wav2vec2_model(**PARAMETERS).state_dict().items()
        }
        state["aux.weight"] = torch.randn(31, _HIDDEN)  # large: the likeliest path is a clear one
        state["aux.bias"] = torch.randn(31)
    torch.save(state, folder / FILE)
    return folder
