"""FastSpeech 2 and its vocoder with random weights, 16 wide instead of 384; a letter is a phone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import (
    FastSpeech2ConformerConfig,
    FastSpeech2ConformerHifiGan,
    FastSpeech2ConformerHifiGanConfig,
    FastSpeech2ConformerModel,
)

FRAMES = 6
"""Of every phone, before a word is stressed."""


def phones(word: str) -> Sequence[int]:
    """A number for each letter."""
    return [1 + ord(c) % 30 for c in word.lower() if c.isalpha()]


def model() -> FastSpeech2ConformerModel:
    """Every phone lasts FRAMES frames, so that what is stressed can be told."""
    config = FastSpeech2ConformerConfig(
        vocab_size=32, hidden_size=16, num_mel_bins=8, encoder_layers=1, decoder_layers=1,
        encoder_num_attention_heads=2, decoder_num_attention_heads=2, encoder_linear_units=16,
        decoder_linear_units=16, speech_decoder_postnet_units=16, duration_predictor_channels=8,
        energy_predictor_channels=8, pitch_predictor_channels=8, speech_decoder_postnet_layers=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = FastSpeech2ConformerModel(config).eval()
        torch.nn.init.zeros_(made.duration_predictor.linear.weight)
        torch.nn.init.constant_(made.duration_predictor.linear.bias, float(torch.tensor(FRAMES + 1.0).log()))
    return made


def vocoder() -> FastSpeech2ConformerHifiGan:
    """Four samples a frame."""
    config = FastSpeech2ConformerHifiGanConfig(
        model_in_dim=8, upsample_initial_channel=8, upsample_rates=[2, 2], upsample_kernel_sizes=[4, 4],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]], sampling_rate=16_000,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FastSpeech2ConformerHifiGan(config).eval()
