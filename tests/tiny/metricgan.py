"""MetricGAN+ with random weights, as `speechbrain/metricgan-plus-voicebank` is: it is small as published."""

from __future__ import annotations

from pathlib import Path

import torch
from speechbrain.lobes.models.MetricGAN import EnhancementGenerator

import annotators._speechbrain  # noqa: F401 - frees sys.modules of SpeechBrain's lazy aliases

HYPERPARAMS = """
sample_rate: 16000
window_fn: !name:torch.hamming_window
compute_stft: !new:speechbrain.processing.features.STFT
    sample_rate: !ref <sample_rate>
    win_length: 32
    hop_length: 16
    n_fft: 512
    window_fn: !ref <window_fn>
compute_istft: !new:speechbrain.processing.features.ISTFT
    sample_rate: !ref <sample_rate>
    win_length: 32
    hop_length: 16
    n_fft: 512
    window_fn: !ref <window_fn>
spectral_magnitude: !name:speechbrain.processing.features.spectral_magnitude
    power: 0.5
resynth: !name:speechbrain.processing.signal_processing.resynthesize
    stft: !ref <compute_stft>
    istft: !ref <compute_istft>
enhance_model: !new:speechbrain.lobes.models.MetricGAN.EnhancementGenerator
    input_size: 257
    hidden_size: 200
    num_layers: 2
    dropout: 0
modules:
    enhance_model: !ref <enhance_model>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        enhance_model: !ref <enhance_model>
"""


def make(folder: Path) -> Path:
    """The checkpoint, in `folder`."""
    torch.manual_seed(0)
    network = EnhancementGenerator()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor += 0.1 * torch.randn_like(tensor)  # biases begin as zeros, slopes as ones
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "enhance_model.ckpt")
    (folder / "hyperparams.yaml").write_text(HYPERPARAMS)
    return folder
