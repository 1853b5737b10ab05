"""torchaudio's SQUIM, 16 wide instead of 256, with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torchaudio.models import squim_objective_model

FILE = "squim_objective_dns2020.pth"
SIZES = {"feat_dim": 16, "win_len": 64, "d_model": 16, "hidden_dim": 8, "num_blocks": 2}


def make(folder: Path) -> Path:
    """The file as published: a plain state dict; of large weights, so that scores tell sounds apart."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = squim_objective_model(**SIZES, nhead=4, rnn_type="LSTM", chunk_size=71)
    state = {key: 3 * value if value.ndim > 1 else value for key, value in network.state_dict().items()}
    torch.save(state, folder / FILE)
    return folder
