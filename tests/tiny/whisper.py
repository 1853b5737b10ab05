"""OpenAI's Whisper large-v3, 2 and 4 layers of 64 instead of 32 of 1280, with random weights."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from whisper.model import ModelDimensions, Whisper

from pipeline.clip import SAMPLE_RATE_HZ, Samples
from tests.make import buzz, noise

DIMS = ModelDimensions(
    n_mels=128, n_audio_ctx=1500, n_audio_state=64, n_audio_head=2, n_audio_layer=2,
    n_vocab=51866, n_text_ctx=64, n_text_state=64, n_text_head=2, n_text_layer=4,
)  # fmt: skip
"""As published but for the width, the layers, and 64 positions instead of 448, so that a text ends soon."""


def make(folder: Path, *, n_vocab: int = DIMS.n_vocab, n_mels: int = DIMS.n_mels) -> Path:
    """`large-v3.pt` as published: the dimensions, and half-precision tensors under the published keys."""
    folder.mkdir(parents=True, exist_ok=True)
    dims = replace(DIMS, n_vocab=n_vocab, n_mels=n_mels)
    file = folder / "large-v3.pt"
    torch.save({"dims": asdict(dims), "model_state_dict": _tensors(dims)}, file)
    return file


def _tensors(dims: ModelDimensions) -> dict[str, torch.Tensor]:
    """Random, but so that what is heard decides: other sound, other language and text; about half of
    the texts have an average log probability under -1, and none repeats itself."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Whisper(dims)
        with torch.no_grad():
            network.decoder.positional_embedding.normal_(0, 0.5)
            network.decoder.token_embedding.weight.mul_(0.8)
            network.decoder.ln.weight.normal_(0, 1)  # else the likeliest token is the one before
            for block in network.decoder.blocks:
                block.cross_attn.out.weight.mul_(6)
                block.cross_attn.query.weight.mul_(30)  # few frames are attended to, not their mean
    return {key: tensor.half() for key, tensor in network.state_dict().items()}


def syllables(seconds: float, seed: int = 0) -> Samples:
    """A buzz that comes and goes, which passes for speech; another pitch and rate for every seed."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    voiced = np.sin(2 * np.pi * (2 + 0.3 * seed) * t) > -0.3
    hiss = noise(seconds, rms=0.001, seed=seed)
    return np.asarray(buzz(100 + 20 * seed, seconds) * 0.5 * voiced + hiss, dtype=np.float32)
