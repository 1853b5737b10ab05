"""WhiStress and its Whisper, 12 layers of 32 instead of 768, with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import WhisperDecoderLayer

_WIDTH = 32


def make(folder: Path) -> Path:
    """The three files as published; the Whisper they stand on is in `backbone` under the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = _config()
        WhisperForConditionalGeneration(config).save_pretrained(folder / "backbone")
        block = WhisperDecoderLayer(config, layer_idx=0)
        for weight in block.parameters():
            nn.init.normal_(weight, std=0.3)
        tensors = {
            "fc1.weight": 0.2 * torch.randn(2 * _WIDTH, _WIDTH),
            "fc1.bias": torch.randn(2 * _WIDTH),
            "fc2.weight": 0.2 * torch.randn(2, 2 * _WIDTH),
            "fc2.bias": torch.zeros(2),
        }
    torch.save(block.state_dict(), folder / "additional_decoder_block.pt")
    torch.save(tensors, folder / "classifier.pt")
    (folder / "metadata.json").write_text(json.dumps({"layer_for_head": 9}))
    return folder


def _config() -> WhisperConfig:
    return WhisperConfig(
        vocab_size=51864,
        num_mel_bins=80,
        d_model=_WIDTH,
        encoder_layers=12,
        decoder_layers=12,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_source_positions=1500,
        max_target_positions=448,
        pad_token_id=50256,
        bos_token_id=50257,
        eos_token_id=50256,
        decoder_start_token_id=50257,
        initializer_range=0.1,
    )
